// Reads, writes, and asks for what it may not have.
#include "../raw.h"

static uint8_t buf[32768 * 2] __attribute__((aligned(4096)));

static int raw(unsigned call, uint64_t handle, uint64_t offset, uint64_t len)
{
    volatile struct block b = {handle, offset, (uintptr_t)buf, len, -1};
    CALL(call, &b);
    return b.ret;
}

int solo5_app_main(const struct solo5_start_info *si)
{
    solo5_handle_t disk;
    struct solo5_block_info info;

    CHECK(solo5_block_acquire("other", &disk, &info) == SOLO5_R_EINVAL);
    CHECK(solo5_block_acquire("disk", &disk, &info) == SOLO5_R_OK && disk == 1);
    CHECK(solo5_block_acquire("disk", &disk, &info) == SOLO5_R_EINVAL);
    uint64_t size = info.block_size, end = info.capacity;
    printf("%lu x %lu\n", (unsigned long)(end / size), (unsigned long)size);

    // The first sector has what the file has; the last one is written.
    CHECK(solo5_block_read(disk, 0, buf, size) == SOLO5_R_OK);
    CHECK(memcmp(buf, "moon", 4) == 0 && buf[4] == 0);
    memset(buf, 0, size);
    memcpy(buf, "last", 4);
    buf[size - 1] = '.';
    CHECK(solo5_block_write(disk, end - size, buf, size) == SOLO5_R_OK);
    memset(buf, 1, size);
    CHECK(solo5_block_read(disk, end - size, buf, size) == SOLO5_R_OK);
    CHECK(memcmp(buf, "last", 4) == 0 && buf[5] == 0 && buf[size - 1] == '.');

    // The tender itself takes whole sectors inside the device, also several.
    CHECK(raw(BLOCK_READ, 1, 0, 2 * size) == SOLO5_R_OK && memcmp(buf, "moon", 4) == 0);
    CHECK(raw(BLOCK_WRITE, 1, end - size, 2 * size) == SOLO5_R_EINVAL);
    CHECK(raw(BLOCK_READ, 1, end, size) == SOLO5_R_EINVAL);
    CHECK(raw(BLOCK_READ, 1, end - size, size + size) == SOLO5_R_EINVAL);
    // Parts of sectors: every library refuses them, this tender too.
    if (is(si->cmdline, "parts")) {
        CHECK(raw(BLOCK_READ, 1, 1, size) == SOLO5_R_EINVAL);
        CHECK(raw(BLOCK_READ, 1, size / 2, size) == SOLO5_R_EINVAL);
        CHECK(raw(BLOCK_READ, 1, 0, size - 1) == SOLO5_R_EINVAL);
    }
    CHECK(solo5_block_read(disk, 1, buf, size) == SOLO5_R_EINVAL);
    CHECK(solo5_block_read(disk, 0, buf, size / 2) == SOLO5_R_EINVAL);
    CHECK(raw(BLOCK_READ, 1, ~0ull - size + 1, size) == SOLO5_R_EINVAL);
    CHECK(raw(BLOCK_READ, 1, 0, ~0ull - size + 1) == SOLO5_R_EINVAL);
    // Handles that are no block device.
    CHECK(raw(BLOCK_READ, 0, 0, size) == SOLO5_R_EINVAL);
    CHECK(raw(BLOCK_READ, 2, 0, size) == SOLO5_R_EINVAL);
    CHECK(raw(BLOCK_READ, 64, 0, size) == SOLO5_R_EINVAL);
    CHECK(raw(BLOCK_READ, ~0ull, 0, size) == SOLO5_R_EINVAL);
    return 0;
}
