/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The lives of peers, sockets and devices of ovpn, for the model checker spin
 *
 * All orders in which commands, timers, closing programs, resets and packets
 * can meet are tried, with two peers, one socket and one device. By hand:
 *
 *	spin -DTCP -DCALL -a ovpn-life.pml
 *	gcc -O2 -DSAFETY -DCOLLAPSE -o pan pan.c
 *	./pan -m100000
 *	./pan -r		# after an error: how it came about
 *
 * What it is made of is chosen, as all at once would be too much:
 *
 * TCP		the socket is a connection, which has one peer at a time; without,
 *		it is of UDP, and peers share it
 * P2P		the second peer takes the place of the first
 * PEERS=1	only one peer is made
 * TIMER	peers may have a keepalive timeout
 * PACKET	packets come and go
 * KEY		commands about keys
 * CALL		with TCP: a program waits in recv()
 * M_...	with a mistake in it
 *
 * scripts/check.d/model has the combinations that are tried. Each mistake has
 * to be found, so that each of these properties is known to be looked at:
 *
 * alive	what is touched has not been freed: peers, uses of sockets, the
 *		socket, the device, and what ndo_uninit frees of it
 * freed	what has left is freed in the end, and once
 * left		a peer leaves if its time is over, its socket closed, its
 *		connection reset, or its device deleted
 * told		user space is told once that a peer has left, and then the socket
 *		is an ordinary one again; of a peer whose heir has the same id it
 *		is told nothing
 * detached	detaching waits for whoever reads the stream (TCP)
 * no deadlock	nobody waits forever, but for what may never happen
 *
 * Each process is a thread of control; each statement, and each atomic block, a
 * step that the others see as a whole: because it is one access, or because all
 * that look hold the same lock. A mutex is taken together with the first step
 * under it, which makes no difference to others.
 *
 * New		netlink_peer.c	ovpn_nl_start_peer()
 *		socket.c	ovpn_socket_attach()
 *		session.c	ovpn_session_join()
 *		keepalive.c	ovpn_keepalive_set()
 * Del		netlink_peer.c	ovpn_nl_peer_del_doit()
 * Key		netlink_key.c	ovpn_nl_key_swap_doit(), which finds a peer without
 *				the mutex
 * Close	udp.c		ovpn_udp_encap_destroy()
 *		tcp_user.c	ovpn_tcp_close()
 * Link		dev.c		ovpn_dev_uninit(), and what the core does before
 *				and after
 * Timer	keepalive.c	ovpn_keepalive_timer()
 * Work		keepalive.c	ovpn_keepalive_expire_work()
 * Packet	udp.c		ovpn_udp_encap_rcv()
 *		io_rx.c		ovpn_rx_enqueue(), ovpn_rx_poll()
 *		io_learn.c	ovpn_learn_endpoint()
 *		io_tx.c		ovpn_tx_start_xmit(), down to the transport
 *		tcp.c		ovpn_tcp_data_ready(), down to ovpn_tcp_break()
 *		tcp_tx.c	ovpn_tcp_push_sender()
 * Reset	tcp.c		ovpn_tcp_state_change()
 * TcpWork	tcp.c		ovpn_tcp_work()
 * Call		tcp_user.c	ovpn_tcp_recvmsg()
 * Rcu		peer.c		ovpn_peer_free_rcu()
 *		socket.c	kfree_rcu() in ovpn_socket_put()
 * Check	looks when nothing happens any more
 *
 * session_...() are parts of session.c. A callback of RCU may run as soon as
 * all readers have left who were there at call_rcu().
 *
 * Not in the model: memory barriers; allocations that fail; keys, endpoints and
 * routes, which live and die with their peer; several devices; leaving the
 * module.
 */

#ifndef PEERS
#define PEERS	2
#endif
#define NONE	2	/* no peer, no use of a socket: there are 0 and 1 */

/* memory */
#define UNBORN	0
#define LIVE	1
#define FREED	2

/* readers of RCU */
#define R_PACKET	1
#define R_KEY		2
#define R_CLOSE		4
#define R_CALL		8

typedef Peer {
	byte mem;
	byte ref;
	byte sock = NONE;
	bit attached;	/* for notify_del(): it is a user of @sock */
	bit hashed;
	bit expires;	/* has a keepalive timeout */
	bit armed;	/* the timer waits, */
	bit fires;	/* runs, */
	bit shut;	/* or has been shut down */
	bit expiring;
	bit listed;	/* on ovpn_priv.expired, */
	bit taken;	/* or in the hands of the work */
	bit joined;	/* for Check: what it has been through */
	bit left;
	bit heir;
	byte told;
	bit rcu;	/* a callback waits */
	byte grace;	/* for these readers */
};

typedef Use {		/* struct ovpn_socket, struct ovpn_tcp */
	byte mem;
	byte ref;
	byte users;
	byte whose = NONE;	/* TCP: ovpn_tcp.peer */
	bit end;	/* TCP: the peer has to go */
	bit work;	/* TCP: the worker is queued */
	bit called;	/* TCP: somebody sleeps in a call, */
	bit woken;	/* and has been woken */
	bit reading;	/* TCP: somebody is in the stream */
	bit rcu;
	byte grace;
};

typedef Sock {		/* struct sock */
	byte mem = LIVE;
	byte ref = 1;
	byte file = 1;	/* references to its file */
	bit fd = 1;	/* user space has a descriptor */
	bit released;	/* the file is gone */
	bit locked;	/* lock_sock() */
	bit reset;
	byte user = NONE;	/* sk_user_data */
};

typedef Dev {
	byte mem = LIVE;
	byte ref;	/* netdev_hold() */
	bit listed = 1;	/* commands find it */
	bit up = 1;
	bit closed;	/* ovpn_peer_table.closed */
	bit inside = 1;	/* receive queues, drop counters, the table itself */
	bit queued;	/* a packet is on a receive queue */
	bit napi = 1;	/* polls may run */
	bit polls;	/* one runs */
};

Peer peer[2];
Use use[2];
Sock sk;
Dev dev;
bit config;		/* ovpn_priv.config */
bit work;		/* ovpn_priv.expire_work is queued, */
bit works;		/* or runs */
byte readers;		/* who is in a read section */
byte sync;		/* whom synchronize_net() still waits for */
bit same;		/* P2P: both peers have the same id */

#define PEER(p)		assert(peer[p].mem == LIVE)
#define USE(u)		assert(use[u].mem == LIVE)
#define SOCK		assert(sk.mem == LIVE)
#define DEV		assert(dev.mem == LIVE)
#define INSIDE		assert(dev.inside)

/* All that is inline is part of an atomic block of its caller, unless it has
 * such blocks itself.
 */

/* RCU */

inline rcu_read_lock(r)
{
	readers = readers | r
}

inline rcu_read_unlock(r)
{
	readers = readers & ~r;
	sync = sync & ~r;
	peer[0].grace = peer[0].grace & ~r;
	peer[1].grace = peer[1].grace & ~r;
	use[0].grace = use[0].grace & ~r;
	use[1].grace = use[1].grace & ~r
}

inline synchronize_net()
{
	sync = readers;
	sync == 0
}

/* References */

inline sock_put()
{
	SOCK;
	sk.ref--;
	if
	:: sk.ref == 0 -> sk.mem = FREED
	:: else
	fi
}

/* ovpn_socket_put() */
inline use_put(u)
{
	USE(u);
	assert(use[u].ref > 0);
	use[u].ref--;
	if
	:: use[u].ref == 0 ->
		assert(sk.user != u && !use[u].work);
		sock_put();
		DEV;
		dev.ref--;
		use[u].rcu = 1;
		use[u].grace = readers
	:: else
	fi
}

/* ovpn_socket_hold() of what @u is, which is NONE if that fails */
inline use_hold(u)
{
	USE(u);
	if
	:: use[u].ref > 0 -> use[u].ref++
	:: else -> u = NONE
	fi
}

/* ovpn_peer_free_rcu() */
inline peer_free(p)
{
	PEER(p);
	assert(!peer[p].hashed && !peer[p].listed && !peer[p].taken);
	peer[p].rcu = 0;
#ifndef M_USE_PUT_EARLY
	if
	:: peer[p].sock != NONE -> use_put(peer[p].sock)
	:: else
	fi;
#endif
	peer[p].mem = FREED;
	peer[p].sock = NONE
}

inline peer_put(p)
{
	PEER(p);
	assert(peer[p].ref > 0);
	peer[p].ref--;
	if
	:: peer[p].ref == 0 ->
		assert(!peer[p].armed && !peer[p].fires);
#ifdef M_PEER_FREE_NOW
		peer_free(p)
#else
#ifdef M_USE_PUT_EARLY
		if
		:: peer[p].sock != NONE -> use_put(peer[p].sock)
		:: else
		fi;
#endif
		peer[p].rcu = 1;
		peer[p].grace = readers
#endif
	:: else
	fi
}

/* Locks */

inline config_lock()
{
	!config ->
	DEV;
	config = 1
}

inline config_unlock()
{
	DEV;
	config = 0
}

/* mod_timer(), timer_reduce() */
inline arm(p)
{
	PEER(p);
	if
	:: !peer[p].shut -> peer[p].armed = 1
	:: else
	fi
}

/* Sessions. Callers have variables @left, a set of peers, and @q. */

/* ovpn_session_unlink(): ovpn_priv.lock */
inline session_unlink(p)
{
	PEER(p);
	if
#ifdef M_LEAVE_TWICE
	:: true ->
#else
	:: peer[p].hashed ->
#endif
		peer[p].hashed = 0;
		peer[p].left = 1;
		left = left | (1 << p)
#ifndef M_LEAVE_TWICE
	:: else
#endif
	fi
}

/* the loop of ovpn_session_leave_many(): ovpn_priv.lock */
inline session_unlink_many(u)
{
	if
	:: peer[0].hashed && (u == NONE || peer[0].sock == u) ->
		session_unlink(0)
	:: else
	fi;
	if
	:: peer[1].hashed && (u == NONE || peer[1].sock == u) ->
		session_unlink(1)
	:: else
	fi
}

/* ovpn_socket_detach() and the detach of the transport; atomic */
inline socket_detach(p, u)
{
	atomic {
#ifndef M_DETACH_UNLOCKED
		!sk.locked ->
#endif
		USE(u);
		SOCK;
		assert(use[u].users > 0);
		use[u].users--;
		peer[p].attached = 0;
		if
		:: use[u].users == 0 ->
			assert(!use[u].reading);
			sk.user = NONE;
			use[u].whose = NONE;
#ifndef M_NO_WAKE
			use[u].woken = 1
#endif
		:: else
		fi
	}
}

inline notify_del(p)
{
	PEER(p);
	USE(peer[p].sock);
	SOCK;
	DEV;
	peer[p].told++;
	assert(peer[p].told == 1);
	assert(!peer[p].attached)
}

#ifdef M_HEIR_ANY
#define HEIR	true
#else
#define HEIR	same
#endif

/* ovpn_session_finish(), without @follows for leaving without an heir; atomic
 * steps
 */
inline session_finish(follows)
{
	do
	:: !left -> break
	:: left ->
		q = (left & 1 -> 0 : 1);
		left = left & ~(1 << q);
#ifndef M_NO_SHUTDOWN
		atomic {
			!peer[q].fires ->
			PEER(q);
			peer[q].armed = 0;
			peer[q].shut = 1
		};
#endif
#ifdef M_TELL_FIRST
		atomic { notify_del(q) };
#endif
		socket_detach(q, peer[q].sock);
		atomic {
#ifndef M_TELL_FIRST
			if
			:: follows && HEIR -> peer[q].heir = same
			:: else -> notify_del(q)
			fi;
#endif
			peer_put(q)
		}
	od
}

/* ovpn_session_socket_gone(); atomic steps */
inline socket_gone(u)
{
	atomic {
		config_lock();
		USE(u);
		session_unlink_many(u)
	};
	session_finish(false);
	atomic { config_unlock() }
}

/* A command begins, netlink.c: the device is found and held. */

inline command_begin()
{
	dev.listed -> dev.ref++
}

inline command_end()
{
	DEV;
	dev.ref--
}

/* who is there? borrowed */
inline lookup(p)
{
	if
	:: peer[0].hashed -> p = 0
	:: peer[1].hashed -> p = 1
	:: else -> p = NONE
	fi
}

/* ovpn_socket_attach(), lock_sock() held; @u is NONE if it fails */
inline socket_attach(p, u)
{
	SOCK;
	u = sk.user;
	if
#ifdef TCP
	:: u != NONE || sk.reset -> u = NONE
#else
	:: u != NONE ->	/* ovpn_socket_share() */
		USE(u);
		assert(use[u].ref > 0 && use[u].users > 0);
		use[u].ref++;
		use[u].users++
#endif
	:: else ->
		u = (use[0].mem == UNBORN -> 0 : 1);
		assert(use[u].mem == UNBORN);
		use[u].mem = LIVE;
		use[u].ref = 1;
		use[u].users = 1;
		use[u].whose = p;
		sk.ref++;
		dev.ref++;
		sk.user = u
	fi;
	peer[p].sock = u;
	peer[p].attached = (u != NONE)
}

/* ovpn_session_join(), up to ovpn_session_finish(): ovpn_priv.lock */
inline session_join(p, other, ok)
{
#ifdef M_CLOSED_LATE
	ok = !dev.closed;
#else
	ok = 1;
#endif
	if
	:: ok ->
#ifdef P2P
		if
		:: peer[other].hashed -> session_unlink(other)
		:: else
		fi;
#endif
		peer[p].hashed = 1;
		peer[p].joined = 1
	:: else
	fi
}

/* ovpn_keepalive_set(), or no keepalive at all */
inline keepalive_set(p)
{
	PEER(p);
#ifdef TIMER
	if
	:: peer[p].expires = 1;
		arm(p)
	:: true
	fi
#endif
}

active proctype New()
{
	byte p, u = NONE, left, q;
	bit ok;

#ifdef P2P
	if
	:: same = 1
	:: true
	fi;
#endif
	do
	:: p == PEERS -> break
	:: p < PEERS ->
		atomic {
			if
			:: dev.listed && sk.fd ->
				command_begin();
				peer[p].mem = LIVE;
				peer[p].ref = 1
#ifndef M_NO_FILE
				;
				sk.file++	/* sockfd_lookup() */
#endif
			:: else -> break
			fi
		};
		atomic {
			config_lock();
			ok = !dev.closed;	/* ovpn_socket_attach() */
#if defined(M_CLOSED_LATE) || defined(M_CLOSED_NEVER)
			ok = 1
#endif
		};
		if
		:: ok ->
			atomic {
				!sk.locked ->
				socket_attach(p, u);
				ok = 0
			}
		:: !ok
		fi;
		if
		:: u != NONE ->
			atomic { q = 1 - p; session_join(p, q, ok); q = 0 };
			session_finish(true);
			if
			:: !ok -> socket_detach(p, u)
			:: ok
			fi
		:: u == NONE
		fi;
		atomic {
#ifndef M_ARM_UNLOCKED
			if
			:: ok -> keepalive_set(p)
			:: else
			fi;
#endif
			config_unlock()
		};
		atomic {
			if
			:: !ok -> peer_put(p)
			:: else ->
#ifdef M_ARM_UNLOCKED
				keepalive_set(p);
#endif
				skip
			fi;
#ifndef M_NO_FILE
			sk.file--;
#endif
			command_end();
			u = NONE;
			ok = 0;
			p++
		}
	od
}

#ifndef NO_DEL
active proctype Del()
{
	byte p = NONE, left, q;

	atomic {
		if
		:: command_begin()
		:: goto out
		fi
	};
	atomic {
		config_lock();
		lookup(p);	/* ovpn_peer_get_by_id() */
		if
		:: p != NONE ->
			PEER(p);
			peer[p].ref++;
			session_unlink(p)
		:: else
		fi
	};
	session_finish(false);
#ifdef M_TELL_AGAIN
	atomic {
		if
		:: p != NONE -> notify_del(p)
		:: else
		fi
	};
#endif
	atomic { config_unlock() };
	atomic {
		if
		:: p != NONE -> peer_put(p)
		:: else
		fi;
		command_end();
		p = NONE
	};
out:
	skip
}

#endif

#ifdef KEY
active proctype Key()
{
	byte p = NONE;

	atomic {
		if
		:: command_begin()
		:: goto out
		fi
	};
	atomic {
		rcu_read_lock(R_KEY);
		lookup(p)
	};
	atomic {
		if
		:: p != NONE ->	/* ovpn_peer_get() */
			PEER(p);
#ifdef M_GET_ANY
			peer[p].ref++
#else
			if
			:: peer[p].ref > 0 -> peer[p].ref++
			:: else -> p = NONE
			fi
#endif
		:: else
		fi;
		rcu_read_unlock(R_KEY)
	};
	atomic {
		if
		:: p != NONE -> peer_put(p)
		:: else
		fi;
		command_end();
		p = NONE
	};
out:
	skip
}
#endif

/* ovpn_socket_get(); atomic steps */
inline socket_get(r, u)
{
	atomic {
		rcu_read_lock(r);
		u = sk.user
	};
	atomic {
		if
		:: u != NONE -> use_hold(u)
		:: else
		fi;
		rcu_read_unlock(r)
	}
}

/* User space closes the socket. Whoever has the last reference to the file
 * releases it, without a lock.
 */
active proctype Close()
{
	byte u = NONE, left, q;

	if
	:: atomic { sk.fd = 0; sk.file-- }
	:: goto out
	fi;
end:	sk.file == 0;
#ifdef M_CLOSE_BARE
	u = sk.user;
#else
	socket_get(R_CLOSE, u);
#endif
	if
	:: u != NONE -> socket_gone(u)
	:: u == NONE
	fi;
	atomic {
		sk.released = 1;
		sock_put();	/* that of the file */
#ifndef M_CLOSE_BARE
		if
		:: u != NONE -> use_put(u)
		:: else
		fi;
#endif
		u = NONE
	};
out:
	skip
}

active proctype Link()
{
	byte left, q;

	if
	:: atomic { dev.listed = 0; dev.up = 0 }
	:: goto out
	fi;
	synchronize_net();	/* the core's, before ndo_uninit */

	atomic {
		config_lock();
		dev.closed = 1;
		session_unlink_many(NONE)
	};
	session_finish(false);
#ifdef M_FLUSH_LOCKED
	!work && !works;
#endif
	atomic { config_unlock() };
#ifndef M_NO_FLUSH
	!work && !works;	/* flush_work() */
#endif
	atomic { !dev.polls -> dev.napi = 0 };
#ifndef M_NO_SYNC
	synchronize_net();
#endif
	atomic {
		assert(!peer[0].hashed && !peer[1].hashed);
		dev.inside = 0;
		dev.queued = 0
	};
	atomic { dev.ref == 0 -> dev.mem = FREED };
out:
	skip
}

#ifdef TIMER
/* ovpn_keepalive_timer(); atomic steps */
inline timer(p)
{
	atomic {	/* ovpn_keepalive_tell_float(): ovpn_priv.lock */
		PEER(p);
		if
		:: peer[p].hashed ->
			USE(peer[p].sock);
			SOCK
		:: else
		fi
	};
	atomic {
		PEER(p);
		if
		:: peer[p].expires ->	/* now: ovpn_keepalive_expire() */
#ifdef M_EXPIRE_TWICE
			first = peer[p].ref > 0;
#else
			first = !peer[p].expiring && peer[p].ref > 0;
#endif
			peer[p].expiring = 1;
			if
			:: first ->
#ifndef M_EXPIRE_BARE
				peer[p].ref++;
#endif
				/* llist_add() */
				DEV;
				assert(!peer[p].listed && !peer[p].taken);
				first = !peer[0].listed && !peer[1].listed;
				peer[p].listed = 1
			:: else
			fi
		:: peer[p].expires ->	/* not yet: ping, and wait again */
			USE(peer[p].sock);
			SOCK;
			INSIDE;
			arm(p)
		:: !peer[p].expires
		fi
	};
	atomic {
		if
		:: first ->
			DEV;
			work = 1
		:: else
		fi;
		PEER(p);
		peer[p].fires = 0;
		p = NONE;
		first = 0
	}
}

active proctype Timer()
{
	byte p = NONE;
	bit first;

end:	do
	:: atomic {
			peer[0].armed ->
			p = 0;
			peer[0].armed = 0;
			peer[0].fires = 1
		};
		timer(p)
	:: atomic {
			peer[1].armed ->
			p = 1;
			peer[1].armed = 0;
			peer[1].fires = 1
		};
		timer(p)
	od
}

active proctype Work()
{
	byte mine, p = NONE, left, q;

end:	do
	:: atomic { work -> work = 0; works = 1 };
		atomic {	/* llist_del_all() */
			DEV;
			mine = peer[0].listed + 2 * peer[1].listed;
			peer[0].taken = peer[0].listed;
			peer[1].taken = peer[1].listed;
			peer[0].listed = 0;
			peer[1].listed = 0
		};
		atomic { config_lock() };
		do
		:: !mine -> break
		:: mine ->
			p = (mine & 1 -> 0 : 1);
			mine = mine & ~(1 << p);
			atomic { session_unlink(p) };
			session_finish(false);
			atomic {
				PEER(p);
				peer[p].taken = 0;
#ifndef M_EXPIRE_BARE
				peer_put(p);
#endif
				p = NONE
			}
		od;
		atomic { config_unlock(); works = 0 }
	od
}
#endif

/* ovpn_learn_endpoint(): ovpn_priv.lock */
inline learn(p)
{
	PEER(p);
	if
#ifdef M_LEARN_UNHASHED
	:: !peer[p].hashed -> peer[p].hashed = 1
#else
	:: !peer[p].hashed
#endif
	:: peer[p].hashed ->
		USE(peer[p].sock);
		SOCK;
		if
		:: arm(p)	/* to tell of it later */
		:: true
		fi
	fi
}

/* ovpn_tcp_kick() */
inline tcp_kick(u)
{
	USE(u);
	if
	:: use[u].ref > 0 && !use[u].work ->
#ifndef M_KICK_BARE
		use[u].ref++;
#endif
		use[u].work = 1
	:: else
	fi
}

#ifdef PACKET
/* Packets come and go until this ends. Between two steps they have pointers in
 * their hands.
 */
active proctype Packet()
{
	byte p = NONE, u = NONE;

	do
#ifndef TCP
	/* ovpn_udp_encap_rcv(), ovpn_rx_enqueue() */
	:: atomic {
			!sk.released && sk.user != NONE ->
			rcu_read_lock(R_PACKET);
			u = sk.user
		};
		atomic {
			USE(u);
			DEV;
			INSIDE;
			if
			:: dev.up -> dev.queued = 1
			:: else
			fi;
			u = NONE;
			rcu_read_unlock(R_PACKET)
		}
	/* ovpn_rx_poll() */
	:: atomic {
			dev.queued && dev.napi ->
			dev.polls = 1;
			dev.queued = 0;
			rcu_read_lock(R_PACKET);
			lookup(p)
		};
		atomic {
			if
			:: p != NONE -> learn(p)
			:: else
			fi;
			INSIDE;
			p = NONE;
			rcu_read_unlock(R_PACKET);
			dev.polls = 0
		}
#else
	/* ovpn_tcp_data_ready(): socket lock */
	:: atomic {
			!sk.locked && sk.user != NONE ->
			sk.locked = 1;
			rcu_read_lock(R_PACKET);
			u = sk.user;
			USE(u);
			p = use[u].whose;
			use[u].reading = 1
		};
		atomic {
			USE(u);
			PEER(p);
			INSIDE;
			if
			:: !use[u].end ->	/* what comes is nonsense */
				use[u].end = 1;
				tcp_kick(u)
			:: true
			fi;
			use[u].reading = 0;
			p = NONE;
			u = NONE;
			rcu_read_unlock(R_PACKET);
			sk.locked = 0
		}
#endif
	/* ovpn_tx_start_xmit() */
	:: atomic {
			dev.up && (peer[0].hashed || peer[1].hashed) ->
			rcu_read_lock(R_PACKET);
			lookup(p)
		};
		atomic {
			PEER(p);
			INSIDE;
			u = peer[p].sock;
			USE(u);
			SOCK;
#ifdef TCP
			if
			:: tcp_kick(u)
			:: true
			fi;
#endif
			p = NONE;
			u = NONE;
			rcu_read_unlock(R_PACKET)
		}
	:: break
	od
}
#endif

#ifdef TCP
active proctype Reset()
{
	byte u = NONE;

	atomic {
		if
		:: !sk.locked && sk.mem == LIVE ->
			sk.reset = 1;
			u = sk.user;	/* ovpn_tcp_state_change() */
			if
			:: u != NONE ->
				USE(u);
				if
				:: !use[u].end ->
					use[u].end = 1;
#ifndef M_END_LOST
					tcp_kick(u)
#endif
				:: else
				fi
			:: else
			fi;
			u = NONE
		:: true		/* not in this life */
		fi
	}
}

/* ovpn_tcp_work(); atomic steps */
inline tcp_work(u)
{
	atomic {	/* ovpn_tcp_look_after(): lock_sock() */
		!sk.locked ->
		USE(u);
		SOCK;
		if
		:: use[u].whose != NONE ->
			PEER(use[u].whose);
			INSIDE
		:: else
		fi;
		ends = use[u].end
	};
	if
	:: ends -> socket_gone(u)
	:: !ends
	fi;
	atomic {
		USE(u);
#ifndef M_KICK_BARE
		use_put(u);
#endif
		u = NONE;
		ends = 0
	}
}

active proctype TcpWork()
{
	byte u = NONE, left, q;
	bit ends;

end:	do
	:: atomic { use[0].work -> u = 0; USE(u); use[u].work = 0 };
		tcp_work(u)
	:: atomic { use[1].work -> u = 1; USE(u); use[u].work = 0 };
		tcp_work(u)
	od
}

#ifdef CALL
/* A call waits for control packets, of which none come. It holds the file. */
active proctype Call()
{
	byte u = NONE;

	atomic {
		if
		:: sk.fd -> sk.file++
		:: goto out
		fi
	};
#ifdef M_CALL_BARE
	u = sk.user;
#else
	socket_get(R_CALL, u);
#endif
	if
	:: u != NONE ->
#ifndef M_CALL_BARE
		use[u].called = 1;
#endif
end:		atomic {
			use[u].woken || sk.reset ->
			USE(u);
			use[u].called = 0;
#ifndef M_CALL_BARE
			use_put(u);
#endif
			u = NONE
		}
	:: u == NONE
	fi;
	sk.file--;
out:
	skip
}
#endif /* CALL */
#endif /* TCP */

active proctype Rcu()
{
end:	do
	:: atomic { peer[0].rcu && !peer[0].grace -> peer_free(0) }
	:: atomic { peer[1].rcu && !peer[1].grace -> peer_free(1) }
	:: atomic {
			use[0].rcu && !use[0].grace ->
			use[0].rcu = 0;
			use[0].mem = FREED
		}
	:: atomic {
			use[1].rcu && !use[1].grace ->
			use[1].rcu = 0;
			use[1].mem = FREED
		}
	od
}

inline check_peer(p)
{
	assert(peer[p].hashed == (peer[p].joined && !peer[p].left));
	assert(peer[p].mem != LIVE || peer[p].hashed);
	assert(!peer[p].hashed || (peer[p].mem == LIVE && peer[p].ref == 1));
	assert(!peer[p].hashed || !peer[p].expires);
	assert(!peer[p].hashed || !sk.released);
	assert(!peer[p].hashed || !sk.reset);
	assert(!peer[p].hashed || dev.listed);
	assert(peer[p].told == (peer[p].left && !peer[p].heir))
}

inline check_use(u)
{
	assert(use[u].mem != LIVE || use[u].users > 0);
	assert(use[u].mem != LIVE || use[u].ref == use[u].called +
	       (peer[0].hashed && peer[0].sock == u) +
	       (peer[1].hashed && peer[1].sock == u));
	assert(use[u].mem == LIVE || sk.user != u)
}

/* Nothing happens any more. */
active proctype Check()
{
end:	atomic {
		timeout ->
		check_peer(0);
		check_peer(1);
		check_use(0);
		check_use(1);
		assert(!config && !sk.locked && !readers && !work && !works);
		assert(dev.listed == (dev.mem == LIVE));
		assert(sk.released == (sk.mem == FREED))
	}
}
