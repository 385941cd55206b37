// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: tests of keys that are used up
 *
 * Nobody waits until 2^32 packets are sent: here they have been.
 */

#include "../io.h"

#include <kunit/test.h>
#include <linux/bottom_half.h>
#include <linux/net.h>
#include <linux/netdevice.h>
#include <linux/rcupdate.h>
#include <linux/skbuff.h>
#include <linux/timer.h>
#include <linux/unaligned.h>
#include <net/genetlink.h>
#include <net/net_namespace.h>
#include <net/netlink.h>
#include <net/sock.h>
#include <uapi/linux/ovpn.h>

#include "../crypto.h"
#include "../crypto_aead.h"
#include "../drop.h"
#include "../netlink_ntf.h"
#include "../ovpn.h"
#include "../peer.h"
#include "../proto.h"
#include "../socket.h"

#define TX_PEER_ID	0x123456
#define TX_IFINDEX	4711

/**
 * struct tx_rig - a peer, and who listens to what is told of it
 * @test: the test
 * @ovpn: the device
 * @sock: the transport, which sends nothing
 * @peer: the peer
 * @transport: a socket for @sock
 * @listener: of all generic netlink groups
 * @sent: packets so far
 * @id: packet id of the last one
 */
struct tx_rig {
	struct kunit *test;
	struct ovpn_priv ovpn;
	struct ovpn_socket sock;
	struct ovpn_peer *peer;
	struct socket *transport;
	struct socket *listener;
	unsigned int sent;
	u32 id;
};

static void tx_send(struct ovpn_peer *peer, struct sk_buff *list)
{
	struct tx_rig *rig = container_of(peer->ovpn, struct tx_rig, ovpn);

	rig->sent++;
	rig->id = get_unaligned_be32(list->data + OVPN_OP_SIZE);
	kfree_skb_list(list);
}

static const struct ovpn_transport_ops tx_ops = {
	.send = tx_send,
};

static void tx_timer(struct timer_list *timer)
{
}

static void tx_free_percpu(void *memory)
{
	free_percpu((__force void __percpu *)memory);
}

static void tx_peer_release(void *arg)
{
	struct ovpn_peer *peer = arg;

	peer->sock = NULL;
	ovpn_peer_put(peer);
	/* peers are freed by code that the tests may be about to unload */
	rcu_barrier();
}

static void tx_sock_release(void *sock)
{
	sock_release(sock);
}

static struct socket *tx_socket(struct kunit *test, int family, int type,
				int protocol)
{
	struct socket *sock;

	KUNIT_ASSERT_EQ(test, 0, sock_create_kern(&init_net, family, type,
						  protocol, &sock));
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, tx_sock_release, sock));
	return sock;
}

/* what counts packets */
static void tx_counters(struct tx_rig *rig)
{
	struct net_device *dev = rig->ovpn.dev;
	struct kunit *test = rig->test;

	rig->ovpn.drops = alloc_percpu(struct ovpn_drops);
	KUNIT_ASSERT_TRUE(test, !!rig->ovpn.drops);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, tx_free_percpu,
						  (__force void *)
						  rig->ovpn.drops));
	dev->dstats = netdev_alloc_pcpu_stats(struct pcpu_dstats);
	KUNIT_ASSERT_TRUE(test, !!dev->dstats);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, tx_free_percpu,
						  (__force void *)dev->dstats));
}

static struct tx_rig *tx_rig_new(struct kunit *test)
{
	struct tx_rig *rig = kunit_kzalloc(test, sizeof(*rig), GFP_KERNEL);
	struct sockaddr_nl all = { .nl_family = AF_NETLINK, .nl_groups = ~0 };
	struct net_device *dev = kunit_kzalloc(test, sizeof(*dev), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, rig);
	KUNIT_ASSERT_NOT_NULL(test, dev);
	rig->test = test;
	dev->ifindex = TX_IFINDEX;
	rig->ovpn.dev = dev;
	rig->ovpn.mode = OVPN_MODE_P2P;
	rig->ovpn.user = &ovpn_nl_user_ops;
	spin_lock_init(&rig->ovpn.lock);
	tx_counters(rig);

	rig->transport = tx_socket(test, AF_INET, SOCK_DGRAM, IPPROTO_UDP);
	rig->listener = tx_socket(test, AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
	KUNIT_ASSERT_EQ(test, 0, kernel_bind(rig->listener,
					     (struct sockaddr_unsized *)&all,
					     sizeof(all)));

	rig->sock.ops = &tx_ops;
	rig->sock.sk = rig->transport->sk;
	rig->peer = ovpn_peer_new(&rig->ovpn, TX_PEER_ID, tx_timer);
	KUNIT_ASSERT_NOT_NULL(test, rig->peer);
	rig->peer->sock = &rig->sock;
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, tx_peer_release,
						  rig->peer));
	return rig;
}

/* the peer gets a key; the caller may look into it as long as it has it */
static struct ovpn_key *tx_key(struct tx_rig *rig, u8 id, u32 cipher)
{
	static const u8 secret[32];
	struct ovpn_key_config config = {
		.id = id,
		.cipher = cipher,
		.key_size = sizeof(secret),
		.tx_key = secret,
		.tx_tail = secret,
		.rx_key = secret,
		.rx_tail = secret,
	};
	struct ovpn_key *key = ovpn_aead_key_new(&config);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(rig->test, key);
	ovpn_keyring_install(&rig->peer->keys, OVPN_KEY_SLOT_PRIMARY, key);
	return key;
}

/* the key id in a message that asks for a new key, or -1 */
static int tx_message(struct tx_rig *rig, struct nlmsghdr *nlh)
{
	struct genlmsghdr *genl = nlmsg_data(nlh);
	struct kunit *test = rig->test;
	struct nlattr *attr, *nest;

	if (nlh->nlmsg_type == GENL_ID_CTRL ||
	    genl->cmd != OVPN_CMD_KEY_SWAP_NTF)
		return -1;
	attr = nlmsg_find_attr(nlh, GENL_HDRLEN, OVPN_A_IFINDEX);
	KUNIT_ASSERT_NOT_NULL(test, attr);
	KUNIT_EXPECT_EQ(test, nla_get_u32(attr), TX_IFINDEX);
	nest = nlmsg_find_attr(nlh, GENL_HDRLEN, OVPN_A_KEYCONF);
	KUNIT_ASSERT_NOT_NULL(test, nest);
	attr = nla_find_nested(nest, OVPN_A_KEYCONF_PEER_ID);
	KUNIT_ASSERT_NOT_NULL(test, attr);
	KUNIT_EXPECT_EQ(test, nla_get_u32(attr), TX_PEER_ID);
	attr = nla_find_nested(nest, OVPN_A_KEYCONF_KEY_ID);
	KUNIT_ASSERT_NOT_NULL(test, attr);
	/* clients read so many bytes */
	KUNIT_EXPECT_EQ(test, nla_len(attr), sizeof(u16));
	return nla_get_u16(attr);
}

/* Send one packet. It leaves, unless @id is 0, with that id; and a new key is
 * asked for in place of key @told, unless that is -1.
 */
static void tx_expect(struct tx_rig *rig, u32 id, int told)
{
	unsigned int sent = rig->sent;
	struct kunit *test = rig->test;
	int key_id, heard = -1;
	u8 buf[256];

	local_bh_disable();
	rcu_read_lock();
	ovpn_tx_keepalive(rig->peer);
	rcu_read_unlock();
	local_bh_enable();

	KUNIT_EXPECT_EQ(test, rig->sent - sent, id ? 1 : 0);
	if (id)
		KUNIT_EXPECT_EQ(test, rig->id, id);
	for (;;) {
		struct kvec vec = { buf, sizeof(buf) };
		struct msghdr msg = {};

		if (kernel_recvmsg(rig->listener, &msg, &vec, 1, sizeof(buf),
				   MSG_DONTWAIT) <= 0)
			break;
		key_id = tx_message(rig, (struct nlmsghdr *)buf);
		if (key_id < 0)
			continue;
		KUNIT_EXPECT_EQ(test, heard, -1);
		heard = key_id;
	}
	KUNIT_EXPECT_EQ(test, heard, told);
}

/* packets for which the key was used up */
static void tx_expect_dropped(struct tx_rig *rig, unsigned long want)
{
	unsigned long dropped = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		dropped += per_cpu_ptr(rig->ovpn.drops, cpu)
			   ->count[OVPN_DROP_TX_EXHAUSTED];
	KUNIT_EXPECT_EQ(rig->test, dropped, want);
}

/* A new key is asked for once, in time; the last packet id is never repeated */
static void tx_packet_ids_test(struct kunit *test)
{
	struct tx_rig *rig = tx_rig_new(test);
	struct ovpn_key *key;

	key = tx_key(rig, 5, OVPN_CIPHER_ALG_CHACHA20_POLY1305);
	tx_expect(rig, 1, -1);
	atomic64_set(&key->nonce.next, OVPN_PACKET_ID_REKEY - 1);
	tx_expect(rig, OVPN_PACKET_ID_REKEY - 1, -1);
	tx_expect(rig, OVPN_PACKET_ID_REKEY, 5);
	tx_expect(rig, OVPN_PACKET_ID_REKEY + 1, -1);
	atomic64_set(&key->nonce.next, U32_MAX);
	tx_expect(rig, U32_MAX, -1);
	tx_expect(rig, 0, -1);
	tx_expect(rig, 0, -1);
	tx_expect_dropped(rig, 2);

	/* the next key begins anew, and asks for itself */
	key = tx_key(rig, 6, OVPN_CIPHER_ALG_CHACHA20_POLY1305);
	tx_expect(rig, 1, -1);
	atomic64_set(&key->nonce.next, 1ULL << 32);
	tx_expect(rig, 0, 6);
	tx_expect_dropped(rig, 3);
}

/* AES-GCM has a limit on what it seals, too */
static void tx_blocks_test(struct kunit *test)
{
	struct tx_rig *rig = tx_rig_new(test);
	struct ovpn_key *key;

	key = tx_key(rig, 7, OVPN_CIPHER_ALG_AES_GCM);
	tx_expect(rig, 1, -1);
	/* a packet and its only block */
	atomic64_set(&key->blocks, OVPN_GCM_USAGE_REKEY - 4);
	tx_expect(rig, 2, -1);
	tx_expect(rig, 3, 7);
	atomic64_set(&key->blocks, OVPN_GCM_USAGE_MAX - 5);
	tx_expect(rig, 4, -1);
	tx_expect(rig, 0, -1);
	tx_expect_dropped(rig, 1);
}

static struct kunit_case tx_cases[] = {
	KUNIT_CASE(tx_packet_ids_test),
	KUNIT_CASE(tx_blocks_test),
	{}
};

static struct kunit_suite tx_suite = {
	.name = "ovpn_io_tx",
	.test_cases = tx_cases,
};

kunit_test_suite(tx_suite);
