/*
 * aec.c: the coder of CCSDS 121.0-B-3. A block of mapped samples is written by
 * the option that takes fewest bits; clauses are those of the book.
 */
#include "perilune_aec.h"

#include "perilune.h"

#include <string.h>

#define SEGMENT 64 /* blocks of which a run of zero blocks may be part */

/* Longest block: as it is, with identifier and reference sample. */
#define LONGEST (PERILUNE_AEC_BLOCK_MAX * 4 + 4 + 4)

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

/* Where the bits of a block go; lives in registers while it is written. */
struct bits {
    uint64_t word; /* the low used bits wait */
    int used;      /* 0 to 31 */
    uint8_t *out;
};

static struct bits begin(struct perilune_aec *a)
{
    if (a->out_fill > PERILUNE_AEC_OUT - LONGEST)
        hand_over(a);
    return (struct bits){a->word, a->used, a->out + a->out_fill};
}

static void end(struct perilune_aec *a, const struct bits *b)
{
    a->word = b->word;
    a->used = b->used;
    a->out_fill = (size_t)(b->out - a->out);
}

/* Appends the low n bits of value, n <= 32; its higher bits are zero. */
static inline void put_bits(struct bits *b, uint32_t value, int n)
{
    b->word = b->word << n | value;
    b->used += n;
    if (b->used >= 32) {
        uint32_t whole;

        b->used -= 32;
        whole = __builtin_bswap32((uint32_t)(b->word >> b->used));
        __builtin_memcpy(b->out, &whole, sizeof whole);
        b->out += sizeof whole;
    }
}

/* A fundamental sequence: value zeros, then a one. */
static inline void put_unary(struct bits *b, uint32_t value)
{
    for (; value > 31; value -= 31)
        put_bits(b, 0, 31);
    put_bits(b, 1, (int)value + 1);
}

/* ---- options ---- */

/* Lengths leave out the identifier and the reference sample, which all
 * options have; the second extension's identifier is one bit longer. */
struct choice {
    uint64_t plain, split, pairs;
};

/* What is left of a block's samples above k bits, added up. A reference
 * sample's place holds a zero. Blocks are a multiple of eight samples. */
static uint64_t high_sum(const struct perilune_aec *a, int k)
{
    uint64_t sum = 0;

    for (const uint32_t *d = a->block; d < a->block + a->block_size; d += 8)
        for (int i = 0; i < 8; i++)
            sum += d[i] >> k;
    return sum;
}

/*
 * The best number k of low bits to split off (3.3), left in a->k. The length
 * is convex in k: walk downhill from the k of the last block. While the high
 * parts are many, more low bits may pay; else fewer.
 */
static uint64_t search_split(struct perilune_aec *a, int n)
{
    int most = (1 << a->id_bits) - 3;
    uint64_t high = high_sum(a, a->k);
    uint64_t best = high + (uint64_t)n * (uint64_t)(a->k + 1);
    int step = high < (uint64_t)n ? -1 : 1;

    for (int k = a->k + step; k >= 0 && k <= most; k += step) {
        uint64_t length = high_sum(a, k) + (uint64_t)n * (uint64_t)(k + 1);

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

static void put_reference(const struct perilune_aec *a, struct bits *b)
{
    if (has_reference(a))
        put_bits(b, a->reference, a->bits);
}

static void write_split(struct perilune_aec *a, const uint32_t *d, int n)
{
    struct bits b = begin(a);
    int k = a->k;
    uint32_t low = (1U << k) - 1;

    put_bits(&b, (uint32_t)k + 1, a->id_bits);
    put_reference(a, &b);
    for (int i = 0; i < n; i++)
        put_unary(&b, d[i] >> k);
    if (k)
        for (int i = 0; i < n; i++)
            put_bits(&b, d[i] & low, k);
    end(a, &b);
}

static void write_pairs(struct perilune_aec *a)
{
    struct bits b = begin(a);

    put_bits(&b, 1, a->id_bits + 1);
    put_reference(a, &b);
    for (int i = 0; i < a->block_size; i += 2)
        put_unary(&b, (uint32_t)pair(a->block[i], a->block[i + 1]));
    end(a, &b);
}

/* No compression (3.6). */
static void write_plain(struct perilune_aec *a, const uint32_t *d, int n)
{
    struct bits b = begin(a);

    put_bits(&b, (1U << a->id_bits) - 1, a->id_bits);
    put_reference(a, &b);
    for (int i = 0; i < n; i++)
        put_bits(&b, d[i], a->bits);
    end(a, &b);
}

static void write_best(struct perilune_aec *a)
{
    int first = has_reference(a) ? 1 : 0, n = a->block_size - first;
    const uint32_t *d = a->block + first;
    struct choice bits;
    uint64_t least;

    bits.plain = (uint64_t)n * (uint64_t)a->bits;
    bits.split = search_split(a, n);
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
    struct bits b;

    if (!a->zeros)
        return;
    b = begin(a);
    put_bits(&b, 0, a->id_bits + 1);
    if (a->zeros_reference)
        put_bits(&b, a->zeros_value, a->bits);
    if (a->zeros < 5)
        put_unary(&b, (uint32_t)a->zeros - 1);
    else
        put_unary(&b, to_end ? 4 : (uint32_t)a->zeros);
    a->zeros = 0;
    end(a, &b);
}

/* ---- blocks ---- */

/* Writes the full block, or counts it if it is zero. */
static void write_block(struct perilune_aec *a, bool last)
{
    bool ends = last || a->index == a->rsi - 1;

    a->fill = 0;
    if (!a->any) {
        if (!a->zeros) {
            a->zeros_reference = has_reference(a);
            a->zeros_value = a->reference;
        }
        a->zeros++;
        if (ends || a->index % SEGMENT == SEGMENT - 1)
            write_zeros(a, true);
    } else {
        write_zeros(a, false);
        write_best(a);
    }
    a->any = 0;
    a->index = ends ? 0 : a->index + 1;
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

static inline uint32_t sample_at(const uint8_t *from, int octets)
{
    if (octets == 1)
        return from[0];
    return octets == 2 ? (uint32_t)from[0] << 8 | from[1]
                       : perilune_get_u32(from);
}

/* Reads n samples of so many octets into the block; false if one is over max.
 * Inlined for each size, so that the loop is as short as can be. */
static inline bool load(struct perilune_aec *a, const uint8_t *from, int octets,
                        int n)
{
    uint32_t *to = a->block + a->fill;
    uint32_t last = a->last, max = a->max, any = a->any, all = 0;

    if (a->fill == 0 && has_reference(a)) /* hence mapped to zero */
        last = a->reference = sample_at(from, octets);
    for (int i = 0; i < n; i++, from += octets) {
        uint32_t sample = sample_at(from, octets);

        to[i] = fold(last, sample, max);
        any |= to[i];
        all |= sample;
        last = sample;
    }
    a->fill += n;
    a->any = any;
    a->last = last;
    return all <= max; /* max is all ones */
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

solo5_result_t perilune_aec_write(struct perilune_aec *a, const void *samples,
                                  size_t count)
{
    const uint8_t *from = samples;

    while (count && a->result == SOLO5_R_OK) {
        int n;
        bool fits;

        /* A full block waits for the next sample: the last one is special. */
        if (a->fill == a->block_size)
            write_block(a, false);
        n = a->block_size - a->fill;
        if ((size_t)n > count)
            n = (int)count;
        fits = a->octets == 1   ? load(a, from, 1, n)
               : a->octets == 2 ? load(a, from, 2, n)
                                : load(a, from, 4, n);
        if (!fits)
            a->result = SOLO5_R_EINVAL;
        from += (size_t)n * (size_t)a->octets;
        count -= (size_t)n;
    }
    return a->result;
}

solo5_result_t perilune_aec_end(struct perilune_aec *a)
{
    struct bits b;

    if (a->fill) {
        for (; a->fill < a->block_size; a->fill++)
            a->block[a->fill] = 0; /* the last sample again */
        write_block(a, true);
    }
    b = begin(a);
    put_bits(&b, 0, -b.used & 7);
    for (; b.used > 0; b.used -= 8)
        *b.out++ = (uint8_t)(b.word >> (b.used - 8));
    end(a, &b);
    hand_over(a);
    return a->result;
}
