/* perilune.c: messages on a packet device. */
#include "perilune.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define RETRY_NS 1000000UL

/* A packet device takes a message when flight has room; one that says AGAIN
 * instead of waiting is asked again, without burning the craft's energy. */
static solo5_result_t send(solo5_handle_t handle, const uint8_t *message,
                           size_t size)
{
    for (;;) {
        solo5_result_t r = solo5_net_write(handle, message, size);

        if (r != SOLO5_R_AGAIN)
            return r;
        solo5_yield(solo5_clock_monotonic() + RETRY_NS, NULL);
    }
}

solo5_result_t perilune_tm_send(solo5_handle_t handle, const void *data,
                                size_t size)
{
    uint8_t message[1 + PERILUNE_TM_MAX];

    if (size > PERILUNE_TM_MAX)
        return SOLO5_R_EINVAL;
    message[0] = PERILUNE_KIND_TELEMETRY;
    memcpy(message + 1, data, size);
    return send(handle, message, 1 + size);
}

/* Large messages only pass through here, so one buffer does for all. */
static uint8_t received[PERILUNE_MESSAGE_MAX + SOLO5_NET_HLEN];

static bool stop_asked;

bool perilune_stop_asked(void)
{
    return stop_asked;
}

solo5_result_t perilune_tc_receive(solo5_handle_t handle, void *buf,
                                   size_t size, size_t *got)
{
    for (;;) {
        size_t n;
        solo5_result_t r = solo5_net_read(handle, received, sizeof received, &n);

        if (r != SOLO5_R_OK)
            return r;
        if (n >= 1 && received[0] == PERILUNE_KIND_STOP)
            stop_asked = true;
        if (n < 1 || received[0] != PERILUNE_KIND_TELECOMMAND)
            continue; /* a kind of a later version */
        if (n - 1 > size)
            return SOLO5_R_EINVAL;
        memcpy(buf, received + 1, n - 1);
        *got = n - 1;
        return SOLO5_R_OK;
    }
}

static bool valid_name(const char *name)
{
    size_t n = strlen(name);

    if (n < 1 || n > PERILUNE_NAME_MAX || strcmp(name, ".") == 0 ||
        strcmp(name, "..") == 0)
        return false;
    for (; *name; name++) {
        char c = *name, lower = c | 0x20;

        if (!(c >= '0' && c <= '9') && !(lower >= 'a' && lower <= 'z') &&
            c != '.' && c != '_' && c != '-')
            return false;
    }
    return true;
}

solo5_result_t perilune_product_begin(struct perilune_product *product,
                                      solo5_handle_t handle, const char *name)
{
    uint8_t message[1 + PERILUNE_NAME_MAX];

    if (!valid_name(name))
        return SOLO5_R_EINVAL;
    product->handle = handle;
    product->total = 0;
    product->fill = 1;
    product->message[0] = PERILUNE_KIND_PRODUCT_DATA;
    message[0] = PERILUNE_KIND_PRODUCT_BEGIN;
    memcpy(message + 1, name, strlen(name));
    return send(handle, message, 1 + strlen(name));
}

static solo5_result_t flush(struct perilune_product *product)
{
    size_t size = product->fill;

    if (size <= 1)
        return SOLO5_R_OK;
    product->fill = 1;
    return send(product->handle, product->message, size);
}

solo5_result_t perilune_product_write(struct perilune_product *product,
                                      const void *data, size_t size)
{
    const uint8_t *from = data;

    while (size) {
        size_t n = PERILUNE_MESSAGE_MAX - product->fill;

        if (n > size)
            n = size;
        memcpy(product->message + product->fill, from, n);
        product->fill += n;
        product->total += n;
        from += n;
        size -= n;
        if (product->fill == PERILUNE_MESSAGE_MAX) {
            solo5_result_t r = flush(product);

            if (r != SOLO5_R_OK)
                return r;
        }
    }
    return SOLO5_R_OK;
}

solo5_result_t perilune_product_end(struct perilune_product *product)
{
    uint8_t message[9] = {PERILUNE_KIND_PRODUCT_END};
    solo5_result_t r = flush(product);

    if (r != SOLO5_R_OK)
        return r;
    for (int i = 0; i < 8; i++) /* the one little-endian number */
        message[1 + i] = (uint8_t)(product->total >> 8 * i);
    return send(product->handle, message, sizeof message);
}

solo5_result_t perilune_block_read_all(solo5_handle_t handle,
                                       const struct solo5_block_info *info,
                                       solo5_off_t offset, void *buf,
                                       size_t size)
{
    size_t block = info->block_size;
    uint8_t *to = buf;

    if (size % block)
        return SOLO5_R_EINVAL;
    for (; size; size -= block, offset += block, to += block) {
        solo5_result_t r = solo5_block_read(handle, offset, to, block);

        if (r != SOLO5_R_OK)
            return r;
    }
    return SOLO5_R_OK;
}

void perilune_log(const char *format, ...)
{
    char line[256];
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (n > (int)sizeof line - 1)
        n = sizeof line - 1;
    line[n] = '\n';
    solo5_console_write(line, (size_t)n + 1);
}

void perilune_put_u32(uint8_t *at, uint32_t value)
{
    for (int i = 3; i >= 0; i--, value >>= 8)
        at[i] = (uint8_t)value;
}

void perilune_put_u64(uint8_t *at, uint64_t value)
{
    perilune_put_u32(at, (uint32_t)(value >> 32));
    perilune_put_u32(at + 4, (uint32_t)value);
}

uint32_t perilune_get_u32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
           (uint32_t)at[2] << 8 | at[3];
}

uint64_t perilune_get_u64(const uint8_t *at)
{
    return (uint64_t)perilune_get_u32(at) << 32 | perilune_get_u32(at + 4);
}
