// In a file of its own: <linux/tcp.h>, whose tcp_info is complete, contradicts <netinet/tcp.h>.
#include "rocket_socket.h"
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

// Since Linux 6.15; headers may be older than the kernel.
#define ROCKET_TCP_RTO_MAX_MS 44

int rocket_tcp_progress(int fd, struct rocket_tcp_progress *out) {
    struct tcp_info info;
    socklen_t length = sizeof info;
    memset(&info, 0, sizeof info);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return -1;
    out->unacknowledged = info.tcpi_unacked;
    out->unsent_bytes = info.tcpi_notsent_bytes;
    out->retransmissions = info.tcpi_retransmits;
    out->total_retransmissions = info.tcpi_total_retrans;
    out->probes = info.tcpi_probes;
    out->since_sent_ms = info.tcpi_last_data_sent;
    out->since_answer_ms = info.tcpi_last_ack_recv;
    return 0;
}

int rocket_queued_output(int fd, int *bytes) { return ioctl(fd, SIOCOUTQ, bytes); }

int rocket_set_longest_retransmission(int fd, int milliseconds) {
    return setsockopt(
        fd, IPPROTO_TCP, ROCKET_TCP_RTO_MAX_MS, &milliseconds, sizeof milliseconds);
}
