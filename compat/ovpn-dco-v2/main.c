// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: the module with one more door
 *
 * All that the driver does when it is loaded and unloaded happens as in the
 * kernel's tree, and ovpn-dco-v2 around it. It is an extra: where another
 * module serves those programs already, everything else works without it.
 */

#include <linux/init.h>
#include <linux/module.h>

/* the driver's entries become functions that are called below */
#pragma push_macro("module_init")
#pragma push_macro("module_exit")
#undef module_init
#undef module_exit
#define module_init(function)
#define module_exit(function)

#include "../../drivers/net/ovpn/main.c"

#pragma pop_macro("module_init")
#pragma pop_macro("module_exit")

#include "dco.h"

static bool ovpn_dco_there __ro_after_init;

static int __init ovpn_dco_register(void)
{
	int ret;

	ret = genl_register_family(&ovpn_dco_family);
	if (ret)
		return ret;
	ret = ovpn_dco_link_register();
	if (ret)
		genl_unregister_family(&ovpn_dco_family);
	return ret;
}

static int __init ovpn_dco_init(void)
{
	int ret;

	ret = ovpn_init();
	if (ret)
		return ret;
	ret = ovpn_dco_register();
	if (ret)
		pr_warn("ovpn: no ovpn-dco-v2 here, is another driver for it loaded? (%d)\n",
			ret);
	ovpn_dco_there = !ret;
	return 0;
}

static void __exit ovpn_dco_exit(void)
{
	if (ovpn_dco_there) {
		ovpn_dco_link_unregister();
		genl_unregister_family(&ovpn_dco_family);
	}
	ovpn_exit();
}

module_init(ovpn_dco_init);
module_exit(ovpn_dco_exit);

MODULE_ALIAS_GENL_FAMILY(OVPN_DCO_FAMILY_NAME);
MODULE_ALIAS_RTNL_LINK(OVPN_DCO_LINK_KIND);
