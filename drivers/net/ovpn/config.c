// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: what user space wants of peers and keys
 *
 * How it says so, and how an attribute is named that makes no sense, is the
 * affair of higher floors: they look at what they have read with the questions
 * below, and then have it done.
 */

#include "config.h"

#include <linux/err.h>
#include <linux/mutex.h>
#include <linux/net.h>
#include <linux/netlink.h>
#include <linux/slab.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>
#include <net/sock.h>

#include "crypto.h"
#include "crypto_aead.h"
#include "keepalive.h"
#include "ovpn.h"
#include "peer.h"
#include "peer_table.h"
#include "session.h"
#include "socket.h"
#include "tcp.h"
#include "udp.h"

/**
 * ovpn_config_transport - which transport is a socket of?
 * @sk: any socket
 *
 * Return: its transport, or NULL if it is of none of ours.
 */
const struct ovpn_transport_ops *ovpn_config_transport(const struct sock *sk)
{
	if (sk->sk_family != AF_INET && sk->sk_family != AF_INET6)
		return NULL;
	if (sk->sk_protocol == IPPROTO_UDP && sk->sk_type == SOCK_DGRAM)
		return &ovpn_udp_ops;
	if (sk->sk_protocol == IPPROTO_TCP && sk->sk_type == SOCK_STREAM)
		return &ovpn_tcp_ops;
	return NULL;
}

/**
 * ovpn_config_reaches - can a socket send there?
 * @sk: a UDP socket
 * @ep: the endpoint
 *
 * Return: true if it is of the right family.
 */
bool ovpn_config_reaches(const struct sock *sk,
			 const struct ovpn_endpoint *ep)
{
	if (ep->remote.family == AF_INET6)
		return sk->sk_family == AF_INET6;
	return sk->sk_family == AF_INET || !ipv6_only_sock(sk);
}

/**
 * ovpn_config_is_host4 - can this be the address of a peer inside the VPN?
 * @addr: the address; 0 is for none
 *
 * Return: true if so.
 */
bool ovpn_config_is_host4(__be32 addr)
{
	return !addr || !(ipv4_is_zeronet(addr) || ipv4_is_loopback(addr) ||
			  ipv4_is_multicast(addr) || ipv4_is_lbcast(addr));
}

/**
 * ovpn_config_is_host6 - can this be the address of a peer inside the VPN?
 * @addr: the address; :: is for none
 *
 * Return: true if so.
 */
bool ovpn_config_is_host6(const struct in6_addr *addr)
{
	int type = ipv6_addr_type(addr);

	return type == IPV6_ADDR_ANY ||
	       (type & IPV6_ADDR_UNICAST &&
		!(type & (IPV6_ADDR_LOOPBACK | IPV6_ADDR_COMPATv4 |
			  IPV6_ADDR_MAPPED)));
}

/**
 * ovpn_config_is_routable - would packets find this peer?
 * @ovpn: the device
 * @config: the peer
 *
 * Return: false if it lacks an address that a peer of a server has to have.
 */
bool ovpn_config_is_routable(const struct ovpn_priv *ovpn,
			     const struct ovpn_peer_config *config)
{
	return ovpn->mode != OVPN_MODE_MP || config->vpn4 ||
	       !ipv6_addr_any(&config->vpn6);
}

/* a peer as it is wanted, not in the table yet */
static struct ovpn_peer *
ovpn_config_make_peer(struct ovpn_priv *ovpn,
		      const struct ovpn_peer_config *config)
{
	struct ovpn_peer_endpoint *endpoint;
	struct ovpn_peer_vpn *vpn;
	struct ovpn_peer *peer;

	peer = ovpn_peer_new(ovpn, config->id, ovpn_keepalive_timer);
	if (!peer)
		return NULL;

	vpn = ovpn_peer_vpn_new(peer, config->vpn4, &config->vpn6, GFP_KERNEL);
	if (!vpn)
		goto err_put;
	spin_lock_bh(&ovpn->lock);
	ovpn_peer_table_set_vpn(peer, vpn);
	spin_unlock_bh(&ovpn->lock);

	if (config->ep.remote.family != AF_UNSPEC) {
		endpoint = ovpn_peer_endpoint_new(peer, &config->ep,
						  GFP_KERNEL);
		if (!endpoint)
			goto err_put;
		ovpn_peer_set_endpoint(peer, endpoint);
	}
	peer->tx_id = config->tx_id;
	return peer;

err_put:
	ovpn_peer_put(peer);
	return NULL;
}

/**
 * ovpn_config_peer_new - add a peer
 * @ovpn: the device
 * @config: the peer
 * @socket: its socket, of one of our transports. The caller holds the file, so
 *	that it cannot close before the peer has joined, unnoticed
 * @extack: for the error message
 *
 * Context: process; takes &ovpn_priv.config.
 * Return: 0; -ENOMEM, or as ovpn_socket_attach() and ovpn_session_join().
 */
int ovpn_config_peer_new(struct ovpn_priv *ovpn,
			 const struct ovpn_peer_config *config,
			 struct socket *socket, struct netlink_ext_ack *extack)
{
	struct ovpn_socket *sock;
	struct ovpn_peer *peer;
	int ret;

	peer = ovpn_config_make_peer(ovpn, config);
	if (!peer)
		return -ENOMEM;

	mutex_lock(&ovpn->config);
	sock = ovpn_socket_attach(ovpn, peer, socket,
				  ovpn_config_transport(socket->sk),
				  ovpn_session_socket_gone, extack);
	if (IS_ERR(sock)) {
		ret = PTR_ERR(sock);
		goto err_put_peer;
	}

	peer->sock = sock;
	ret = ovpn_session_join(peer, extack);
	if (ret)
		goto err_detach;
	ovpn_keepalive_set(peer, config->interval, config->timeout);
	mutex_unlock(&ovpn->config);
	return 0;

err_detach:
	ovpn_socket_detach(sock);
err_put_peer:
	mutex_unlock(&ovpn->config);
	ovpn_peer_put(peer);
	return ret;
}

/**
 * ovpn_config_peer_read - a peer as it is now
 * @peer: the peer
 * @config: filled in
 */
void ovpn_config_peer_read(const struct ovpn_peer *peer,
			   struct ovpn_peer_config *config)
{
	const struct ovpn_peer_endpoint *endpoint;
	const struct ovpn_peer_vpn *vpn;

	config->id = peer->id;
	config->tx_id = READ_ONCE(peer->tx_id);
	config->interval = READ_ONCE(peer->keepalive_interval);
	config->timeout = READ_ONCE(peer->keepalive_timeout);

	rcu_read_lock();
	vpn = rcu_dereference(peer->vpn);
	config->vpn4 = vpn->v4;
	config->vpn6 = vpn->v6;
	endpoint = rcu_dereference(peer->endpoint);
	if (endpoint)
		config->ep = endpoint->ep;
	rcu_read_unlock();
}

/**
 * ovpn_config_peer_change - make a peer another one, or leave it as it is
 * @peer: the peer
 * @config: what it shall be, but for keepalive
 * @moved: it has another endpoint
 * @extack: for the error message
 *
 * Context: process, &ovpn_priv.config held.
 * Return: 0; -ENOMEM, or as ovpn_peer_table_set_vpn().
 */
int ovpn_config_peer_change(struct ovpn_peer *peer,
			    const struct ovpn_peer_config *config, bool moved,
			    struct netlink_ext_ack *extack)
{
	struct ovpn_priv *ovpn = peer->ovpn;
	struct ovpn_peer_endpoint *endpoint = NULL;
	struct ovpn_peer_vpn *vpn;
	int ret;

	vpn = ovpn_peer_vpn_new(peer, config->vpn4, &config->vpn6, GFP_KERNEL);
	if (!vpn)
		return -ENOMEM;
	if (moved) {
		endpoint = ovpn_peer_endpoint_new(peer, &config->ep,
						  GFP_KERNEL);
		if (!endpoint) {
			kfree(vpn);
			return -ENOMEM;
		}
	}

	spin_lock_bh(&ovpn->lock);
	ret = ovpn_peer_table_set_vpn(peer, vpn);
	if (!ret && endpoint) {
		ovpn_peer_table_move(peer, endpoint);
		endpoint = NULL;
	}
	spin_unlock_bh(&ovpn->lock);

	kfree(endpoint);
	if (ret == -EADDRINUSE)
		NL_SET_ERR_MSG(extack, "VPN address belongs to another peer");
	if (!ret)
		WRITE_ONCE(peer->tx_id, config->tx_id);
	return ret;
}

/**
 * ovpn_config_peer_del - delete a peer
 * @ovpn: the device
 * @id: its id
 *
 * Context: process; takes &ovpn_priv.config.
 * Return: 0, or -ENOENT without such a peer.
 */
int ovpn_config_peer_del(struct ovpn_priv *ovpn, u32 id)
{
	struct ovpn_peer *peer;

	mutex_lock(&ovpn->config);
	peer = ovpn_peer_get_by_id(ovpn, id);
	if (peer)
		ovpn_session_leave(peer, OVPN_DEL_PEER_REASON_USERSPACE);
	mutex_unlock(&ovpn->config);

	if (!peer)
		return -ENOENT;
	ovpn_peer_put(peer);
	return 0;
}

/**
 * ovpn_config_key_set - put a key into a slot, or empty it
 * @ovpn: the device
 * @peer_id: whose slot
 * @slot: the slot, empty or not
 * @key: the key, consumed; NULL for none
 *
 * Context: process; takes &ovpn_priv.config.
 * Return: 0, or -ENOENT without such a peer.
 */
int ovpn_config_key_set(struct ovpn_priv *ovpn, u32 peer_id,
			enum ovpn_key_slot slot, struct ovpn_key *key)
{
	struct ovpn_peer *peer;

	mutex_lock(&ovpn->config);
	peer = ovpn_peer_get_by_id(ovpn, peer_id);
	if (peer)
		ovpn_keyring_install(&peer->keys, slot, key);
	mutex_unlock(&ovpn->config);

	if (!peer) {
		if (key)
			ovpn_aead_key_free(key);
		return -ENOENT;
	}
	ovpn_peer_put(peer);
	return 0;
}

/**
 * ovpn_config_key_swap - exchange primary and secondary key, empty or not
 * @ovpn: the device
 * @peer_id: whose keys
 *
 * Context: process.
 * Return: 0, or -ENOENT without such a peer.
 */
int ovpn_config_key_swap(struct ovpn_priv *ovpn, u32 peer_id)
{
	struct ovpn_peer *peer = ovpn_peer_get_by_id(ovpn, peer_id);

	if (!peer)
		return -ENOENT;
	ovpn_keyring_swap(&peer->keys);
	ovpn_peer_put(peer);
	return 0;
}
