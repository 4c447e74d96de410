/*
 * solo5.h: what a guest may ask of its tender.
 *
 * Names, types and numbers are those of Solo5's public interface, so that a
 * program written for one is compiled unchanged with the other. Times are in
 * nanoseconds, sizes and offsets in octets. There is one CPU, no interrupts,
 * no preemption: calls return when they are done.
 */
#ifndef PERILUNE_SOLO5_H
#define PERILUNE_SOLO5_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Result of a call. EINVAL and EUNSPEC mean that the program is wrong or the
 * device has failed; AGAIN that there is nothing to do yet. */
typedef enum {
    SOLO5_R_OK = 0,
    SOLO5_R_AGAIN,
    SOLO5_R_EINVAL,
    SOLO5_R_EUNSPEC
} solo5_result_t;

/*
 * What the program knows when it starts.
 *   cmdline     the command line from mission.toml, zero terminated, at most 8191 octets
 *   heap_start  first octet of free memory
 *   heap_size   length of free memory; the stack grows down from its end
 */
struct solo5_start_info {
    const char *cmdline;
    uintptr_t heap_start;
    size_t heap_size;
};

/* The program: written by you, called once. Returning is solo5_exit(). */
int solo5_app_main(const struct solo5_start_info *info);

#define SOLO5_EXIT_SUCCESS 0
#define SOLO5_EXIT_FAILURE 1
#define SOLO5_EXIT_ABORT   255

/* Ends the guest with a status from 0 to 254, which flight reports. */
void solo5_exit(int status) __attribute__((noreturn));

/* Ends the guest with SOLO5_EXIT_ABORT. A trap (bad address, bad instruction,
 * division by zero) does the same, after a line on the console. */
void solo5_abort(void) __attribute__((noreturn));

/*
 * Thread-local variables (__thread). Each thread of the program's own making
 * has a block of solo5_tls_size() octets, aligned to 64, filled by
 * solo5_tls_init(); solo5_set_tls_base(solo5_tls_tp_offset(block)) makes it
 * the current one. EINVAL for a block that is not aligned.
 */
size_t solo5_tls_size(void);
uintptr_t solo5_tls_tp_offset(uintptr_t tls);
solo5_result_t solo5_tls_init(uintptr_t tls);
solo5_result_t solo5_set_tls_base(uintptr_t base);

typedef uint64_t solo5_time_t;

/* Nanoseconds since some moment before the start; never goes back, costs no
 * call of the tender. */
solo5_time_t solo5_clock_monotonic(void);

/* Nanoseconds since 1970-01-01 UTC as the craft believes, by a call of the
 * tender. On board time may be unset: do not schedule by it. */
solo5_time_t solo5_clock_wall(void);

/* A device, and a set of devices: bit h for handle h. */
typedef uint64_t solo5_handle_t;
typedef uint64_t solo5_handle_set_t;

/*
 * Sleeps until the monotonic clock reaches deadline or a network device can
 * be read. ready_set, unless NULL, receives the devices that can be read (0
 * when time is up). This is the only way not to burn the craft's energy.
 */
void solo5_yield(solo5_time_t deadline, solo5_handle_set_t *ready_set);

/* Writes size octets to the console. Best effort: what is written faster than
 * the craft wants to keep is dropped and counted. */
void solo5_console_write(const char *buf, size_t size);

#define SOLO5_NET_ALEN 6  /* octets of an Ethernet address */
#define SOLO5_NET_HLEN 14 /* octets of an Ethernet header */

/* A network device. mtu is without the Ethernet header; a packet device (see
 * perilune.h) has no header and its mtu is the longest message. */
struct solo5_net_info {
    uint8_t mac_address[SOLO5_NET_ALEN];
    size_t mtu;
};

/* Finds the network device of this name in the manifest. EINVAL if there is
 * none or it was acquired before. */
solo5_result_t solo5_net_acquire(const char *name, solo5_handle_t *handle,
                                 struct solo5_net_info *info);

/* Sends one frame of size octets. On Ethernet a frame that cannot go out at
 * once is lost; a packet device waits until flight has taken it. */
solo5_result_t solo5_net_write(solo5_handle_t handle, const uint8_t *buf,
                               size_t size);

/* Receives one frame into buf of size octets and sets *read_size. AGAIN when
 * there is none; does not wait. size must hold mtu + SOLO5_NET_HLEN. */
solo5_result_t solo5_net_read(solo5_handle_t handle, uint8_t *buf, size_t size,
                              size_t *read_size);

typedef uint64_t solo5_off_t;

/* A block device: capacity and block_size in octets, the first a multiple of
 * the second. */
struct solo5_block_info {
    solo5_off_t capacity;
    solo5_off_t block_size;
};

/* Finds the block device of this name in the manifest. EINVAL if there is
 * none or it was acquired before. */
solo5_result_t solo5_block_acquire(const char *name, solo5_handle_t *handle,
                                   struct solo5_block_info *info);

/* Writes or reads one block: size is the block size, offset a multiple of it.
 * Else, or beyond the capacity, EINVAL. All of it is done or nothing. */
solo5_result_t solo5_block_write(solo5_handle_t handle, solo5_off_t offset,
                                 const uint8_t *buf, size_t size);
solo5_result_t solo5_block_read(solo5_handle_t handle, solo5_off_t offset,
                                uint8_t *buf, size_t size);

#endif
