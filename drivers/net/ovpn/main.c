// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: the module, floor by floor */

#include <linux/module.h>
#include <net/genetlink.h>

#include "chunk.h"
#include "crypto_aead.h"
#include "dev.h"
#include "netlink-gen.h"
#include "tcp.h"
#include "udp_gro.h"

static int __init ovpn_init(void)
{
	int ret;

	ret = ovpn_aead_init();
	if (ret)
		return ret;
	ret = ovpn_tcp_init();
	if (ret)
		goto err_exit_aead;
	ovpn_udp_gro_init();
	ret = genl_register_family(&ovpn_nl_family);
	if (ret)
		goto err_exit_udp_gro;
	ret = ovpn_dev_register();
	if (ret)
		goto err_unregister_family;
	return 0;

err_unregister_family:
	genl_unregister_family(&ovpn_nl_family);
err_exit_udp_gro:
	ovpn_udp_gro_exit();
	ovpn_tcp_exit();
err_exit_aead:
	ovpn_aead_exit();
	return ret;
}

static void __exit ovpn_exit(void)
{
	/* devices use the family to tell of the peers that go with them */
	ovpn_dev_unregister();
	genl_unregister_family(&ovpn_nl_family);
	ovpn_tcp_exit();
	ovpn_chunk_exit();
	/* a task that was closing a socket may still be on its way out */
	synchronize_rcu_tasks();
	ovpn_udp_gro_exit();
	/* waits for the grace periods of everything freed until now */
	ovpn_aead_exit();
}

module_init(ovpn_init);
module_exit(ovpn_exit);

MODULE_DESCRIPTION("OpenVPN data channel offload");
MODULE_LICENSE("GPL");
MODULE_VERSION("1.0");
MODULE_ALIAS_GENL_FAMILY(OVPN_FAMILY_NAME);
