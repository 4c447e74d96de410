/* channel.c: messages to another guest, by the calls of a network device. */
#include <perilune.h>

#include "hvt.h"

static bool is_channel(solo5_handle_t handle)
{
    const struct hvt_manifest *m = hvt_boot->manifest;

    return handle < m->entries && m->entry[handle].type == HVT_CHANNEL &&
           m->entry[handle].attached;
}

solo5_result_t perilune_channel_acquire(const char *name,
                                        solo5_handle_t *handle)
{
    const struct hvt_item *item = hvt_find_item(name, HVT_CHANNEL);

    if (!item)
        return SOLO5_R_EINVAL;
    *handle = item->index;
    return SOLO5_R_OK;
}

solo5_result_t perilune_channel_send(solo5_handle_t handle, const void *data,
                                     size_t size)
{
    volatile struct hvt_net record = {
        .handle = handle, .data = data, .len = size, .ret = SOLO5_R_EUNSPEC};

    if (!is_channel(handle) || size < 1 || size > PERILUNE_CHANNEL_MAX)
        return SOLO5_R_EINVAL;
    hvt_call(HVT_NET_WRITE, &record);
    return (solo5_result_t)record.ret;
}

solo5_result_t perilune_channel_receive(solo5_handle_t handle, void *buf,
                                        size_t size, size_t *got)
{
    volatile struct hvt_net record = {
        .handle = handle, .data = buf, .len = size, .ret = SOLO5_R_EUNSPEC};

    if (!is_channel(handle) || size < PERILUNE_CHANNEL_MAX)
        return SOLO5_R_EINVAL;
    hvt_call(HVT_NET_READ, &record);
    if (record.ret == SOLO5_R_OK)
        *got = record.len;
    return (solo5_result_t)record.ret;
}
