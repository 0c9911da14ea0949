/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Preloaded into programs of a guest: tells them that the card can stamp everything that it
 * receives, as others can which the laboratory has not.  The driver of this one is asked for PTP,
 * since it refuses more; that NTP is stamped as well, nic_fix.c sees to.
 */
#include <dlfcn.h>
#include <linux/ethtool.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdarg.h>
#include <string.h>

int ioctl(int fd, unsigned long request, ...)
{
    static int (*real)(int, unsigned long, void *);
    va_list arguments;
    void *argument;
    struct ifreq *interface;
    int result;

    va_start(arguments, request);
    argument = va_arg(arguments, void *);
    va_end(arguments);
    interface = argument;
    if (!real) {
        void *symbol = dlsym(RTLD_NEXT, "ioctl");

        memcpy(&real, &symbol, sizeof real);
    }
    if (request == SIOCSHWTSTAMP) {
        struct hwtstamp_config *config = (void *)interface->ifr_data;
        int is_all = config->rx_filter == HWTSTAMP_FILTER_ALL;

        config->rx_filter = is_all ? HWTSTAMP_FILTER_PTP_V2_EVENT : config->rx_filter;
        result = real(fd, request, argument);
        config->rx_filter = is_all ? HWTSTAMP_FILTER_ALL : config->rx_filter;
        return result;
    }
    result = real(fd, request, argument);
    if (result == 0 && request == SIOCETHTOOL) {
        struct ethtool_ts_info *info = (void *)interface->ifr_data;

        if (info->cmd == ETHTOOL_GET_TS_INFO) {
            info->rx_filters |= 1u << HWTSTAMP_FILTER_ALL;
        }
    }
    return result;
}
