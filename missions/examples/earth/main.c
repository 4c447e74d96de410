/*
 * earth: reads the image on its block device, compresses all of it without
 * loss (CCSDS 121.0-B, 8 bits, blocks of 16, a reference every 128 blocks) and
 * hands it over as product "earth.aec".
 *
 *   on the ground: aec -d -n 8 -j 16 -r 128 earth.aec earth.pgm
 *
 * Last it sends one packet: "earth", then octets read and octets of the
 * product, u64 big endian each.
 */
#include <perilune.h>
#include <perilune_aec.h>
#include <stdlib.h>
#include <string.h>

#define BITS  8
#define BLOCK 16
#define RSI   128
#define CHUNK 4096 /* octets read at a time, or a sector if that is more */

static struct perilune_aec aec;
static struct perilune_product product;

static solo5_result_t to_product(void *context, const uint8_t *data, size_t size)
{
    return perilune_product_write(context, data, size);
}

static solo5_result_t compress(solo5_handle_t image,
                               const struct solo5_block_info *info)
{
    size_t chunk = info->block_size > CHUNK ? info->block_size : CHUNK;
    uint8_t *data = malloc(chunk);
    solo5_result_t r = data ? SOLO5_R_OK : SOLO5_R_EUNSPEC;

    for (solo5_off_t at = 0; r == SOLO5_R_OK && at < info->capacity; at += chunk) {
        if (chunk > info->capacity - at)
            chunk = info->capacity - at;
        r = perilune_block_read_all(image, info, at, data, chunk);
        if (r == SOLO5_R_OK)
            r = perilune_aec_write(&aec, data, chunk);
    }
    return r == SOLO5_R_OK ? perilune_aec_end(&aec) : r;
}

static solo5_result_t report(solo5_handle_t link, uint64_t in, uint64_t out)
{
    uint8_t data[5 + 8 + 8] = "earth";

    perilune_put_u64(data + 5, in);
    perilune_put_u64(data + 13, out);
    return perilune_tm_send(link, data, sizeof data);
}

/* Names the step that failed, on the console. */
static int failed(const char *step)
{
    perilune_log("earth: cannot %s", step);
    return SOLO5_EXIT_FAILURE;
}

int solo5_app_main(const struct solo5_start_info *info)
{
    struct solo5_block_info image_info;
    struct solo5_net_info link_info;
    solo5_handle_t image, link;
    solo5_time_t start = solo5_clock_monotonic();

    (void)info;
    if (solo5_block_acquire("image", &image, &image_info) != SOLO5_R_OK)
        return failed("acquire block device \"image\"");
    if (solo5_net_acquire("link", &link, &link_info) != SOLO5_R_OK)
        return failed("acquire packet device \"link\"");
    perilune_log("earth: %lu octets to compress", image_info.capacity);
    if (perilune_product_begin(&product, link, "earth.aec") != SOLO5_R_OK)
        return failed("open the product");
    if (perilune_aec_init(&aec, BITS, BLOCK, RSI, to_product, &product) !=
            SOLO5_R_OK ||
        compress(image, &image_info) != SOLO5_R_OK)
        return failed("compress the image");
    if (perilune_product_end(&product) != SOLO5_R_OK)
        return failed("close the product");
    if (report(link, image_info.capacity, aec.total_out) != SOLO5_R_OK)
        return failed("send telemetry");
    perilune_log("earth: %lu octets left, %lu ms", aec.total_out,
                 (solo5_clock_monotonic() - start) / 1000000);
    return SOLO5_EXIT_SUCCESS;
}
