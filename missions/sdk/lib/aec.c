/*
 * aec.c: the coder of CCSDS 121.0-B-3. A block of mapped samples is written by
 * the option that takes fewest bits; clauses are those of the book.
 */
#include "perilune_aec.h"

#include <string.h>

#define SEGMENT 64 /* blocks of which a run of zero blocks may be part */

static bool has_reference(const struct perilune_aec *a)
{
    return a->index == 0;
}

/* ---- bits, most significant first ---- */

static void hand_over(struct perilune_aec *a)
{
    if (a->result == SOLO5_R_OK && a->out_fill)
        a->result = a->put(a->context, a->out, a->out_fill);
    a->total_out += a->out_fill;
    a->out_fill = 0;
}

/* Appends the low n bits of value, n <= 32; its higher bits are zero. */
static inline void put_bits(struct perilune_aec *a, uint32_t value, int n)
{
    a->word = a->word << n | value;
    a->used += n;
    if (a->used >= 32) {
        uint8_t *out = a->out + a->out_fill;
        uint32_t whole;

        a->used -= 32;
        whole = (uint32_t)(a->word >> a->used);
        out[0] = (uint8_t)(whole >> 24);
        out[1] = (uint8_t)(whole >> 16);
        out[2] = (uint8_t)(whole >> 8);
        out[3] = (uint8_t)whole;
        a->out_fill += 4;
        if (a->out_fill == PERILUNE_AEC_OUT)
            hand_over(a);
    }
}

/* A fundamental sequence: value zeros, then a one. */
static inline void put_unary(struct perilune_aec *a, uint32_t value)
{
    for (; value >= 32; value -= 32)
        put_bits(a, 0, 32);
    if (value < 31) {
        put_bits(a, 1, (int)value + 1);
        return;
    }
    put_bits(a, 0, 31);
    put_bits(a, 1, 1);
}

/* ---- options ---- */

/* Lengths leave out the identifier and the reference sample, which all
 * options have; the second extension's identifier is one bit longer. */
struct choice {
    uint64_t plain, split, pairs;
};

static uint64_t high_sum(const uint32_t *d, int n, int k)
{
    uint64_t sum = 0;

    for (int i = 0; i < n; i++)
        sum += d[i] >> k;
    return sum;
}

/*
 * The best number k of low bits to split off (3.3), left in a->k. The length
 * is convex in k: walk downhill from the k of the last block. While the high
 * parts are many, more low bits may pay; else fewer.
 */
static uint64_t search_split(struct perilune_aec *a, const uint32_t *d, int n)
{
    int most = (1 << a->id_bits) - 3;
    uint64_t high = high_sum(d, n, a->k);
    uint64_t best = high + (uint64_t)n * (uint64_t)(a->k + 1);
    int step = high < (uint64_t)n ? -1 : 1;

    for (int k = a->k + step; k >= 0 && k <= most; k += step) {
        uint64_t length = high_sum(d, n, k) + (uint64_t)n * (uint64_t)(k + 1);

        if (length >= best)
            break;
        best = length;
        a->k = k;
    }
    return best;
}

/* The number that stands for a pair of samples in the second extension. */
static inline uint64_t pair(uint32_t a, uint32_t b)
{
    uint64_t sum = (uint64_t)a + b;

    return sum * (sum + 1) / 2 + b;
}

/* The length of the second extension (3.4); at limit it stops counting. */
static uint64_t pairs_length(const uint32_t *d, int n, uint64_t limit)
{
    uint64_t length = 1;

    for (int i = 0; i < n; i += 2) {
        if (d[i] >= limit || d[i + 1] >= limit)
            return limit;
        length += pair(d[i], d[i + 1]) + 1;
        if (length >= limit)
            return limit;
    }
    return length;
}

static void put_reference(struct perilune_aec *a)
{
    if (has_reference(a))
        put_bits(a, a->reference, a->bits);
}

static void write_split(struct perilune_aec *a, const uint32_t *d, int n)
{
    int k = a->k;
    uint32_t low = (1U << k) - 1;

    put_bits(a, (uint32_t)k + 1, a->id_bits);
    put_reference(a);
    for (int i = 0; i < n; i++)
        put_unary(a, d[i] >> k);
    if (k)
        for (int i = 0; i < n; i++)
            put_bits(a, d[i] & low, k);
}

static void write_pairs(struct perilune_aec *a)
{
    put_bits(a, 1, a->id_bits + 1);
    put_reference(a);
    for (int i = 0; i < a->block_size; i += 2)
        put_unary(a, (uint32_t)pair(a->block[i], a->block[i + 1]));
}

/* No compression (3.6). */
static void write_plain(struct perilune_aec *a, const uint32_t *d, int n)
{
    put_bits(a, (1U << a->id_bits) - 1, a->id_bits);
    put_reference(a);
    for (int i = 0; i < n; i++)
        put_bits(a, d[i], a->bits);
}

static void write_best(struct perilune_aec *a)
{
    int first = has_reference(a) ? 1 : 0, n = a->block_size - first;
    const uint32_t *d = a->block + first;
    struct choice bits;
    uint64_t least;

    bits.plain = (uint64_t)n * (uint64_t)a->bits;
    bits.split = search_split(a, d, n);
    least = bits.split < bits.plain ? bits.split : bits.plain;
    bits.pairs = pairs_length(a->block, a->block_size, least + 1);

    if (bits.split < bits.plain && bits.split < bits.pairs)
        write_split(a, d, n);
    else if (bits.split >= bits.plain && bits.plain <= bits.pairs)
        write_plain(a, d, n);
    else
        write_pairs(a);
}

/* A run of zero blocks (3.5.3): one to four by their number less one, then
 * "the rest of the segment" as four, more by their number. */
static void write_zeros(struct perilune_aec *a, bool to_end)
{
    if (!a->zeros)
        return;
    put_bits(a, 0, a->id_bits + 1);
    if (a->zeros_reference)
        put_bits(a, a->zeros_value, a->bits);
    if (a->zeros < 5)
        put_unary(a, (uint32_t)a->zeros - 1);
    else
        put_unary(a, to_end ? 4 : (uint32_t)a->zeros);
    a->zeros = 0;
}

/* ---- blocks ---- */

static bool is_zero(const struct perilune_aec *a)
{
    for (int i = 0; i < a->block_size; i++)
        if (a->block[i])
            return false;
    return true;
}

/* Writes the full block, or counts it if it is zero. */
static void write_block(struct perilune_aec *a, bool last)
{
    bool end = last || a->index == a->rsi - 1;

    a->fill = 0;
    if (is_zero(a)) {
        if (!a->zeros) {
            a->zeros_reference = has_reference(a);
            a->zeros_value = a->reference;
        }
        a->zeros++;
        if (end || a->index % SEGMENT == SEGMENT - 1)
            write_zeros(a, true);
    } else {
        write_zeros(a, false);
        write_best(a);
    }
    a->index = end ? 0 : a->index + 1;
}

/*
 * The preprocessor (4): a sample is predicted to be like the last; the error
 * is folded into an unsigned number. theta is the distance from the
 * prediction to the nearer end of the range: errors up to it alternate in
 * sign, larger ones have only one sign.
 */
static inline uint32_t fold(uint32_t last, uint32_t sample, uint32_t max)
{
    uint32_t above = max - last, theta = last < above ? last : above;

    if (sample >= last) {
        uint32_t error = sample - last;

        return error <= theta ? 2 * error : theta + error;
    }
    uint32_t error = last - sample;

    return error <= theta ? 2 * error - 1 : theta + error;
}

static inline void add(struct perilune_aec *a, uint32_t sample)
{
    if (a->fill == 0 && has_reference(a)) {
        a->reference = sample;
        a->block[0] = 0;
    } else {
        a->block[a->fill] = fold(a->last, sample, a->max);
    }
    a->fill++;
    a->last = sample;
}

solo5_result_t perilune_aec_init(struct perilune_aec *a, int bits,
                                 int block_size, int rsi,
                                 perilune_aec_put_t *put, void *context)
{
    if (bits < 1 || bits > 32 || rsi < 1 || rsi > PERILUNE_AEC_RSI_MAX ||
        (block_size != 8 && block_size != 16 && block_size != 32 &&
         block_size != 64))
        return SOLO5_R_EINVAL;
    memset(a, 0, sizeof *a);
    a->put = put;
    a->context = context;
    a->bits = bits;
    a->octets = bits > 16 ? 4 : bits > 8 ? 2 : 1;
    a->id_bits = bits > 16 ? 5 : bits > 8 ? 4 : 3;
    a->max = UINT32_MAX >> (32 - bits);
    a->block_size = block_size;
    a->rsi = rsi;
    return SOLO5_R_OK;
}

static inline uint32_t load(const uint8_t *from, int octets)
{
    uint32_t v = *from;

    while (--octets)
        v = v << 8 | *++from;
    return v;
}

solo5_result_t perilune_aec_write(struct perilune_aec *a, const void *samples,
                                  size_t count)
{
    const uint8_t *from = samples;

    for (; count && a->result == SOLO5_R_OK; count--) {
        uint32_t sample = load(from, a->octets);

        if (sample > a->max)
            return a->result = SOLO5_R_EINVAL;
        /* A full block waits for the next sample: the last one is special. */
        if (a->fill == a->block_size)
            write_block(a, false);
        add(a, sample);
        from += a->octets;
    }
    return a->result;
}

solo5_result_t perilune_aec_end(struct perilune_aec *a)
{
    if (a->fill) {
        while (a->fill < a->block_size)
            add(a, a->last);
        write_block(a, true);
    }
    put_bits(a, 0, -a->used & 7);
    while (a->used > 0) {
        a->used -= 8;
        a->out[a->out_fill++] = (uint8_t)(a->word >> a->used);
    }
    hand_over(a);
    return a->result;
}
