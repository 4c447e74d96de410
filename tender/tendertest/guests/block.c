// Exercises a block device called "storage".
#include "guest.h"
MANIFEST(1, {.name = "storage", .type = 1});

static uint8_t buf[4096];

static int io(int n, uint64_t handle, uint64_t offset, uint64_t data, uint64_t len)
{
    volatile struct io x = {handle, offset, data, len, -1};
    call(n, &x);
    return x.ret;
}

int run(const struct boot_info *bi, const char *arg)
{
    const struct mft *m = (const void *)bi->mft;
    uint64_t cap = m->e[1].u.block.capacity, sector = m->e[1].u.block.sector;
    uint64_t at = (uintptr_t)buf;
    if (is(arg, "copy")) { // the first sector, bits flipped, to the last
        if (!m->e[1].attached || io(BLKREAD, 1, 0, at, sector))
            return 2;
        for (uint64_t i = 0; i < sector; i++)
            buf[i] ^= 0xff;
        if (io(BLKWRITE, 1, cap - sector, at, sector))
            return 3;
        say_number(cap), say(" "), say_number(sector), say("\n");
        return 0;
    }
    if (is(arg, "edges")) { // every answer must be EINVAL
        say_number(io(BLKREAD, 1, cap, at, sector));
        say_number(io(BLKREAD, 1, cap - sector, at, 2 * sector));
        say_number(io(BLKREAD, 1, ~0ull - 511, at, sector));
        say_number(io(BLKWRITE, 1, 0, at, ~0ull));
        say_number(io(BLKREAD, 0, 0, at, sector));
        say_number(io(BLKREAD, 63, 0, at, sector));
        say_number(io(BLKREAD, 1ull << 32 | 1, 0, at, sector));
        say_number(io(BLKREAD, 1, 1, at, sector));
        say_number(io(BLKREAD, 1, 0, at, sector - 1));
        return 0;
    }
    if (is(arg, "write"))
        return io(BLKWRITE, 1, 0, at, sector);
    if (is(arg, "wild"))
        return io(BLKREAD, 1, 0, bi->mem_size - 1, sector);
    if (is(arg, "wrap"))
        return io(BLKREAD, 1, 0, ~0ull - 255, sector);
    if (is(arg, "text")) // into read-only memory
        return io(BLKREAD, 1, 0, (uintptr_t)run & ~511ull, sector);
    return io(BLKREAD, 1, 0, at, sector); // the file may have shrunk by now
}
