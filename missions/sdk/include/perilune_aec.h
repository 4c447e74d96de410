/*
 * perilune_aec.h: lossless compression by CCSDS 121.0-B-3.
 *
 * Made for a slow CPU without vector unit: each block is read once and takes
 * some thirty instructions a sample; no allocation, no floating point. The
 * octets are those of libaec with the same parameters (unsigned samples, most
 * significant octet first, preprocessor on: `aec -m -n bits -j block -r rsi`),
 * so that `aec -d` restores them.
 *
 *     perilune_aec_init(&a, 8, 16, 128, put, context);
 *     perilune_aec_write(&a, samples, count);     as often as you like
 *     perilune_aec_end(&a);
 */
#ifndef PERILUNE_AEC_H
#define PERILUNE_AEC_H

#include "solo5.h"

#define PERILUNE_AEC_BLOCK_MAX 64   /* samples */
#define PERILUNE_AEC_RSI_MAX   4096 /* blocks */
#define PERILUNE_AEC_OUT       1024 /* octets handed over at a time */

/* Takes size octets of coded data; what it returns other than OK ends the
 * compression and is returned to the caller. */
typedef solo5_result_t perilune_aec_put_t(void *context, const uint8_t *data,
                                          size_t size);

/* One compression. Fields are the library's own; total_out may be read. */
struct perilune_aec {
    perilune_aec_put_t *put;
    void *context;
    solo5_result_t result;
    uint64_t total_out; /* octets handed over */

    uint32_t max; /* largest sample */
    int bits, octets, id_bits, block_size, rsi;

    int index; /* of the block in its reference sample interval */
    int fill;  /* samples in block */
    int k;     /* split of the last block */
    uint32_t last, reference;
    uint32_t any; /* the block's mapped samples, or-ed */
    uint32_t block[PERILUNE_AEC_BLOCK_MAX];

    int zeros; /* zero blocks not written yet */
    bool zeros_reference;
    uint32_t zeros_value;

    uint64_t word; /* the low used bits wait for output */
    int used;
    size_t out_fill;
    uint8_t out[PERILUNE_AEC_OUT];
};

/*
 * Starts a compression.
 *   bits        of a sample, 1 to 32; samples take 1, 2 or 4 octets
 *   block_size  samples of a block: 8, 16, 32 or 64
 *   rsi         blocks from one reference sample to the next, 1 to 4096
 * EINVAL: a parameter is outside this.
 */
solo5_result_t perilune_aec_init(struct perilune_aec *a, int bits,
                                 int block_size, int rsi,
                                 perilune_aec_put_t *put, void *context);

/* Compresses count samples, big endian. EINVAL: a sample has more bits than
 * was said. */
solo5_result_t perilune_aec_write(struct perilune_aec *a, const void *samples,
                                  size_t count);

/* Ends the compression: fills the last block with the last sample, the last
 * octet with zeros, and hands over what is left. */
solo5_result_t perilune_aec_end(struct perilune_aec *a);

#endif
