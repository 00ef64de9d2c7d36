// Stream sockets with one flat address struct in place of sockaddr.
//
// Functions that return int or ssize_t return -1 with errno on failure, like the system calls that
// they wrap.
#ifndef ROCKET_SOCKET_H
#define ROCKET_SOCKET_H
#include <stdint.h>
#include <sys/types.h>

#define ROCKET_FAMILY_UNNAMED 0
#define ROCKET_FAMILY_IPV4 1
#define ROCKET_FAMILY_IPV6 2
#define ROCKET_FAMILY_UNIX 3
#define ROCKET_FAMILY_ABSTRACT 4
#define ROCKET_UNIX_PATH_BYTES 107

/// An address of any supported family (ROCKET_FAMILY_*). Numbers are in host byte order.
struct rocket_address {
    int32_t family;
    uint16_t port;
    uint16_t path_bytes;
    uint32_t ipv4;
    uint32_t scope;
    uint64_t ipv6_high, ipv6_low;
    uint8_t path[108];
};

/// The credentials of a process (struct ucred).
struct rocket_credentials {
    int32_t pid;
    uint32_t uid, gid;
};

/// Creates a stream socket (socket(2)): non-blocking, closed on exec.
int rocket_socket(int family);
int rocket_bind(int fd, const struct rocket_address *address);
int rocket_connect(int fd, const struct rocket_address *address);
/// Accepts a connection (accept4(2)): non-blocking, closed on exec.
int rocket_accept(int fd, struct rocket_address *peer);
int rocket_local_address(int fd, struct rocket_address *address);
int rocket_peer_address(int fd, struct rocket_address *address);
int rocket_socket_pair(int fds[2]);
/// Returns the family (ROCKET_FAMILY_*) of a listening stream socket, or -1 with ENOTSOCK or EINVAL
/// for any other descriptor.
int rocket_listening_family(int fd);

/// Sets O_NONBLOCK and FD_CLOEXEC on a descriptor that another process opened.
int rocket_set_nonblocking_cloexec(int fd);
int rocket_set_reuse_address(int fd, int on);
int rocket_set_reuse_port(int fd, int on);
int rocket_set_ipv6_only(int fd, int on);
int rocket_set_no_delay(int fd, int on);
/// What the kernel knows of the peer's answers (TCP_INFO).
struct rocket_tcp_progress {
    uint32_t unacknowledged, unsent_bytes, retransmissions, total_retransmissions, probes;
    uint32_t since_sent_ms, since_answer_ms;
};
int rocket_tcp_progress(int fd, struct rocket_tcp_progress *out);
/// Bytes that were sent and that the peer's machine has not acknowledged, or on a Unix socket the peer
/// has not read, about (SIOCOUTQ).
int rocket_queued_output(int fd, int *bytes);
/// TCP_RTO_MAX_MS; fails on kernels before 6.15.
int rocket_set_longest_retransmission(int fd, int milliseconds);
int rocket_set_user_timeout(int fd, int milliseconds);
int rocket_set_keepalive(int fd, int idle_seconds, int interval_seconds, int probes);
int rocket_set_buffer_bytes(int fd, int send_bytes, int receive_bytes);
/// Sets SO_LINGER to zero: close(2) then resets the connection.
int rocket_set_reset_on_close(int fd);
/// Returns and clears SO_ERROR; -1 when it can't be read.
int rocket_socket_error(int fd);
int rocket_peer_credentials(int fd, struct rocket_credentials *out);

ssize_t rocket_receive(int fd, void *bytes, size_t count);
/// send(2), without SIGPIPE.
ssize_t rocket_send(int fd, const void *bytes, size_t count);
/// A range of memory, with the layout of struct iovec.
struct rocket_slice {
    const void *base;
    size_t count;
};
/// sendmsg(2) of up to 1024 slices (IOV_MAX), without SIGPIPE.
ssize_t rocket_send_slices(int fd, const struct rocket_slice *slices, int count);

/// inet_pton(3): returns 0, or -1 when the text is not such an address.
int rocket_parse_ipv4(const char *text, uint32_t *bits);
int rocket_parse_ipv6(const char *text, uint64_t *high, uint64_t *low);
/// inet_ntop(3): `text` has room for at least 46 bytes.
void rocket_print_ipv4(uint32_t bits, char *text);
void rocket_print_ipv6(uint64_t high, uint64_t low, char *text);
/// if_nametoindex(3): returns 0 when there is no such interface.
unsigned rocket_interface_index(const char *name);

/// getaddrinfo(3) for streams. Blocks. Returns 0 or an EAI_ code, which is EAI_SYSTEM with errno;
/// *count is at most `capacity`.
int rocket_look_up(
    const char *host, uint16_t port, struct rocket_address *out, int capacity, int *count);
/// gai_strerror(3).
const char *rocket_look_up_text(int code);
/// Returns 1 when the code is EAI_SYSTEM: errno has the reason; otherwise 0.
int rocket_look_up_is_system_error(int code);
/// Returns 1 when the code means that the name does not exist, otherwise 0.
int rocket_look_up_is_unknown_name(int code);

/// Returns 1 when the path is a socket, 0 when it is a file of another kind, -1 with errno.
int rocket_path_is_socket(const char *path);
/// Reads the device and the inode of the file at the path; a link is not followed.
int rocket_path_identity(const char *path, uint64_t *device, uint64_t *inode);
/// Opens a folder for reading.
int rocket_open_folder(const char *path);
/// flock(2) without waiting: EWOULDBLOCK while another open file has the lock.
int rocket_try_lock(int fd);
int rocket_remove_path(const char *path);
/// Returns the permissions of the file at the path; a link is not followed.
int rocket_path_mode(const char *path);
int rocket_set_path_mode(const char *path, unsigned mode);
/// Opens /dev/null, to reserve an entry in the descriptor table.
int rocket_open_null(void);
#endif
