/* aec.c: compresses the block device "image" to the console. Command line:
 * bits, block size, reference sample interval, samples. */
#include <perilune.h>
#include <perilune_aec.h>
#include <stdlib.h>

static struct perilune_aec aec;

static solo5_result_t to_console(void *context, const uint8_t *data, size_t size)
{
    (void)context;
    solo5_console_write((const char *)data, size);
    return SOLO5_R_OK;
}

int solo5_app_main(const struct solo5_start_info *info)
{
    struct solo5_block_info image_info;
    solo5_handle_t image;
    char *next = (char *)info->cmdline;
    int bits = (int)strtoul(next, &next, 10);
    int block = (int)strtoul(next, &next, 10);
    int rsi = (int)strtoul(next, &next, 10);
    size_t count = strtoul(next, &next, 10);
    uint8_t *data;

    if (solo5_block_acquire("image", &image, &image_info) != SOLO5_R_OK)
        return 1;
    data = malloc(image_info.capacity);
    if (!data || perilune_block_read_all(image, &image_info, 0, data,
                                         image_info.capacity) != SOLO5_R_OK)
        return 2;
    if (perilune_aec_init(&aec, bits, block, rsi, to_console, NULL) != SOLO5_R_OK)
        return 3;
    if (perilune_aec_write(&aec, data, count) != SOLO5_R_OK)
        return 4;
    return perilune_aec_end(&aec) == SOLO5_R_OK ? 0 : 5;
}
