/*
 * perilune.h: telemetry, telecommands and products.
 *
 * A mission with `[[packet]]` in its mission.toml has a network device whose
 * other end is the craft's flight software. Each message is the user data of
 * one packet; flight adds the headers (application, sequence count, time), so
 * that a program says what, never who or when. Acquire the device with
 * solo5_net_acquire() and pass its handle to the functions below.
 *
 * Functions that send wait while the craft has no room. Sizes are in octets.
 */
#ifndef PERILUNE_H
#define PERILUNE_H

#include "solo5.h"

/* First octet of each message on a packet device. */
#define PERILUNE_KIND_TELEMETRY     0x01
#define PERILUNE_KIND_PRODUCT_BEGIN 0x02
#define PERILUNE_KIND_PRODUCT_DATA  0x03
#define PERILUNE_KIND_PRODUCT_END   0x04
#define PERILUNE_KIND_TELECOMMAND   0x81
#define PERILUNE_KIND_STOP          0x82

#define PERILUNE_MESSAGE_MAX  4096 /* longest message, kind included */
#define PERILUNE_TM_MAX       1000 /* longest telemetry user data */
#define PERILUNE_TC_MAX       4095 /* longest telecommand user data */
#define PERILUNE_NAME_MAX     64   /* longest product name */

/*
 * Sends one telemetry packet with size octets of user data.
 * EINVAL: size is over PERILUNE_TM_MAX, or handle is no network device.
 */
solo5_result_t perilune_tm_send(solo5_handle_t handle, const void *data,
                                size_t size);

/*
 * Receives the user data of one telecommand into buf of size octets and sets
 * *got. AGAIN: none has come; does not wait (solo5_yield() does). A
 * telecommand longer than size is dropped: EINVAL.
 */
solo5_result_t perilune_tc_receive(solo5_handle_t handle, void *buf,
                                   size_t size, size_t *got);

/*
 * Says whether the craft has asked the program to end: it should finish what
 * it is at and return from solo5_app_main(). Only a mission with "grace = N"
 * under [guest] of its mission.toml is asked, and it is ended N seconds later
 * if it has not ended by itself. The request comes like a telecommand:
 * perilune_tc_receive() takes it in and goes on, so ask after that has said
 * AGAIN.
 */
bool perilune_stop_asked(void);

/*
 * A product is a file that the mission makes. The craft collects it under the
 * tenant's name and brings it down by CFDP; one product is open at a time.
 * The struct collects small writes into long messages; it is 4 KiB, so keep
 * it off the stack.
 */
struct perilune_product {
    solo5_handle_t handle;
    uint64_t total; /* octets written so far */
    size_t fill;    /* octets of message in use, kind included */
    uint8_t message[PERILUNE_MESSAGE_MAX];
};

/* Opens a product. name: 1 to 64 of A-Z a-z 0-9 . _ - and not "." or "..".
 * EINVAL: the name is not, or handle is no network device. */
solo5_result_t perilune_product_begin(struct perilune_product *product,
                                      solo5_handle_t handle, const char *name);

/* Appends size octets. */
solo5_result_t perilune_product_write(struct perilune_product *product,
                                      const void *data, size_t size);

/* Closes the product; the craft checks the total and sends it down. */
solo5_result_t perilune_product_end(struct perilune_product *product);

/*
 * Reads size octets from a block device, block by block, into buf. offset and
 * size are multiples of the block size. EINVAL as solo5_block_read().
 */
solo5_result_t perilune_block_read_all(solo5_handle_t handle,
                                       const struct solo5_block_info *info,
                                       solo5_off_t offset, void *buf,
                                       size_t size);

/* Writes one line to the console, printf style (see stdio.h), at most 255
 * octets; the line end is added. */
void perilune_log(const char *format, ...)
    __attribute__((format(__printf__, 1, 2)));

/*
 * A channel carries messages to the other mission of the same tenant whose
 * mission.toml has a `[[channel]]` of the same name. Each message arrives whole
 * or not at all, in order, once. The other mission need not run: what is sent
 * waits in the craft until there is no more room.
 */
#define PERILUNE_CHANNEL_MAX 4096 /* longest message, octets */

/* Finds a channel. *handle's bit in solo5_yield()'s ready_set says that a
 * message waits. EINVAL: mission.toml has no channel of this name. */
solo5_result_t perilune_channel_acquire(const char *name,
                                        solo5_handle_t *handle);

/* Sends one message of size octets, 1 to PERILUNE_CHANNEL_MAX; does not wait.
 * AGAIN: there is no room, for the other mission does not read or does not run.
 * EINVAL: size is out of range, or handle is no channel. */
solo5_result_t perilune_channel_send(solo5_handle_t handle, const void *data,
                                     size_t size);

/* Receives one message into buf of size octets, at least
 * PERILUNE_CHANNEL_MAX, and sets *got to its length in octets; does not wait.
 * AGAIN: none has come. EINVAL: buf is too small, or handle is no channel. */
solo5_result_t perilune_channel_receive(solo5_handle_t handle, void *buf,
                                        size_t size, size_t *got);

/* Octets of a seed. */
#define PERILUNE_SEED_SIZE 32

/*
 * Random octets that this run of the program shares with no other: what to
 * begin a generator with where the processor has no instruction for it. The
 * same ones at each call. EINVAL if mission.toml does not say "seed = true"
 * under [guest]; out is then left as it is.
 */
solo5_result_t perilune_seed(uint8_t out[PERILUNE_SEED_SIZE]);

/* Big-endian numbers, as space packets carry them. */
void perilune_put_u32(uint8_t *at, uint32_t value);
void perilune_put_u64(uint8_t *at, uint64_t value);
uint32_t perilune_get_u32(const uint8_t *at);
uint64_t perilune_get_u64(const uint8_t *at);

#endif
