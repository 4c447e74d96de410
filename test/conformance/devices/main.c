// Three block devices and two networks, each with its own properties.
#include "../raw.h"

static uint8_t buf[4096];

int solo5_app_main(const struct solo5_start_info *si)
{
    static const char *const disks[] = {"root", "data", "log"};
    static const char *const nets[] = {"up", "down"};
    (void)si;

    for (unsigned i = 0; i < 3; i++) {
        solo5_handle_t h;
        struct solo5_block_info info;
        CHECK(solo5_block_acquire(disks[i], &h, &info) == SOLO5_R_OK && h == i + 1);
        printf("%s %lu/%lu ", disks[i], (unsigned long)info.capacity, (unsigned long)info.block_size);
        CHECK(solo5_block_read(h, 0, buf, info.block_size) == SOLO5_R_OK);
        CHECK(memcmp(buf, disks[i], strlen(disks[i])) == 0);
        memcpy(buf, "seen", 5);
        CHECK(solo5_block_write(h, 0, buf, info.block_size) == SOLO5_R_OK);
    }
    solo5_handle_t h[2];
    for (unsigned i = 0; i < 2; i++) {
        struct solo5_net_info info;
        CHECK(solo5_net_acquire(nets[i], &h[i], &info) == SOLO5_R_OK && h[i] == i + 4);
        CHECK(solo5_net_acquire(disks[0], &h[i], &info) == SOLO5_R_EINVAL);
        printf("%s mtu %lu mac", nets[i], (unsigned long)info.mtu);
        for (int k = 0; k < 6; k++)
            printf(" %02x", info.mac_address[k]);
        printf("%s", i ? "\n" : " ");
    }
    // A frame on each comes back on the same one.
    for (unsigned i = 0; i < 2; i++) {
        uint8_t frame[60] = {[12] = 0x88, [13] = 0xb5, [20] = 'a' + i};
        CHECK(solo5_net_write(h[i], frame, sizeof frame) == SOLO5_R_OK);
    }
    for (unsigned got = 0; got != 3;) {
        solo5_handle_set_t ready;
        solo5_yield(solo5_clock_monotonic() + 60000000000, &ready);
        CHECK(ready != 0 && (ready & ~0x30ull) == 0);
        for (unsigned i = 0; i < 2; i++) {
            size_t n;
            if (!(ready >> h[i] & 1))
                continue;
            CHECK(solo5_net_read(h[i], buf, sizeof buf, &n) == SOLO5_R_OK);
            if (buf[12] != 0x88 || buf[13] != 0xb5)
                continue;
            CHECK(n == 60 && buf[20] == 'a' + i && !(got >> i & 1));
            got |= 1 << i;
        }
    }
    return 0;
}
