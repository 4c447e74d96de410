/* solo5.c: clocks, console, network and block devices, by hypercalls. */
#include "solo5.h"

#include <string.h>

#include "hvt.h"

#define NSEC 1000000000UL

/* In two steps, so that nothing overflows before the counter itself does. */
solo5_time_t solo5_clock_monotonic(void)
{
    uint64_t cycles = hvt_cycles(), freq = hvt_boot->cycle_freq;

    return cycles / freq * NSEC + cycles % freq * NSEC / freq;
}

solo5_time_t solo5_clock_wall(void)
{
    volatile struct hvt_walltime record = {0};

    hvt_call(HVT_WALLTIME, &record);
    return record.nsecs;
}

void solo5_yield(solo5_time_t deadline, solo5_handle_set_t *ready_set)
{
    volatile struct hvt_poll record = {0};
    solo5_time_t now = solo5_clock_monotonic();

    record.timeout = deadline > now ? deadline - now : 0;
    hvt_call(HVT_POLL, &record);
    if (ready_set)
        *ready_set = record.ready_set;
}

void solo5_console_write(const char *buf, size_t size)
{
    volatile struct hvt_puts record = {.data = buf, .len = size};

    hvt_call(HVT_PUTS, &record);
}

/* Handles that were acquired. */
static solo5_handle_set_t acquired;

/* The attached device with this name and type, or NULL; sets *handle. */
static const struct hvt_entry *acquire(const char *name, uint32_t type,
                                       solo5_handle_t *handle)
{
    const struct hvt_manifest *m = hvt_boot->manifest;

    for (uint32_t i = 1; i < m->entries; i++) {
        const struct hvt_entry *e = &m->entry[i];

        if (e->type != type || strcmp(e->name, name) != 0)
            continue;
        if (!e->attached || acquired >> i & 1)
            return NULL;
        acquired |= 1UL << i;
        *handle = i;
        return e;
    }
    return NULL;
}

/* The device of a handle, or NULL. */
static const struct hvt_entry *device(solo5_handle_t handle, uint32_t type)
{
    const struct hvt_manifest *m = hvt_boot->manifest;

    if (handle >= m->entries || m->entry[handle].type != type)
        return NULL;
    return &m->entry[handle];
}

solo5_result_t solo5_net_acquire(const char *name, solo5_handle_t *handle,
                                 struct solo5_net_info *info)
{
    const struct hvt_entry *e = acquire(name, HVT_NET, handle);

    if (!e)
        return SOLO5_R_EINVAL;
    memcpy(info->mac_address, e->u.net.mac, SOLO5_NET_ALEN);
    info->mtu = e->u.net.mtu;
    return SOLO5_R_OK;
}

solo5_result_t solo5_net_write(solo5_handle_t handle, const uint8_t *buf,
                               size_t size)
{
    volatile struct hvt_net record = {
        .handle = handle, .data = buf, .len = size, .ret = SOLO5_R_EUNSPEC};

    if (!device(handle, HVT_NET))
        return SOLO5_R_EINVAL;
    hvt_call(HVT_NET_WRITE, &record);
    return (solo5_result_t)record.ret;
}

solo5_result_t solo5_net_read(solo5_handle_t handle, uint8_t *buf, size_t size,
                              size_t *read_size)
{
    volatile struct hvt_net record = {
        .handle = handle, .data = buf, .len = size, .ret = SOLO5_R_EUNSPEC};

    if (!device(handle, HVT_NET))
        return SOLO5_R_EINVAL;
    hvt_call(HVT_NET_READ, &record);
    if (record.ret == SOLO5_R_OK)
        *read_size = record.len;
    return (solo5_result_t)record.ret;
}

solo5_result_t solo5_block_acquire(const char *name, solo5_handle_t *handle,
                                   struct solo5_block_info *info)
{
    const struct hvt_entry *e = acquire(name, HVT_BLOCK, handle);

    if (!e)
        return SOLO5_R_EINVAL;
    info->capacity = e->u.block.capacity;
    info->block_size = e->u.block.block_size;
    return SOLO5_R_OK;
}

static solo5_result_t block_call(enum hvt_call call, solo5_handle_t handle,
                                 solo5_off_t offset, const uint8_t *buf,
                                 size_t size)
{
    volatile struct hvt_block record = {.handle = handle,
                                        .offset = offset,
                                        .data = buf,
                                        .len = size,
                                        .ret = SOLO5_R_EUNSPEC};
    const struct hvt_entry *e = device(handle, HVT_BLOCK);

    if (!e || size != e->u.block.block_size ||
        (offset & (e->u.block.block_size - 1UL)) != 0)
        return SOLO5_R_EINVAL;
    hvt_call(call, &record);
    return (solo5_result_t)record.ret;
}

solo5_result_t solo5_block_write(solo5_handle_t handle, solo5_off_t offset,
                                 const uint8_t *buf, size_t size)
{
    return block_call(HVT_BLOCK_WRITE, handle, offset, buf, size);
}

solo5_result_t solo5_block_read(solo5_handle_t handle, solo5_off_t offset,
                                uint8_t *buf, size_t size)
{
    return block_call(HVT_BLOCK_READ, handle, offset, buf, size);
}
