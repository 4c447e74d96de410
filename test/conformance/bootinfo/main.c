// Looks at boot info and at what lies behind it.
#include "../raw.h"

int solo5_app_main(const struct solo5_start_info *si)
{
    const struct boot *b = hvt_boot;
    const uint32_t *manifest = (const void *)b->manifest;

    CHECK((uintptr_t)b == 0x10000);
    // The manifest lies right behind the 56 octets: a guest that knows a
    // longer boot info must find nothing alarming there.
    CHECK((uintptr_t)b->manifest == 0x10000 + 56);
    CHECK(manifest[0] == 1 && manifest[1] == 3);
    CHECK((uintptr_t)b->cmdline == (uintptr_t)b->manifest + 8 + 3 * 104);
    // A ring is there if it is announced, and nothing else is said.
    CHECK((b->host_features & ~1u) == 0 && b->guest_features == 0);
    CHECK((b->host_features == 0) == (b->net_ring == 0));
    CHECK(b->cycle_freq > 1000000);
    CHECK(b->kernel_end > 0x100000 && b->kernel_end % 4096 == 0);
    CHECK(si->cmdline == b->cmdline);
    // Entry 0 is reserved and nameless; 1 and 2 are attached.
    const uint8_t *e = b->manifest + 8;
    CHECK(e[0] == 0 && *(const uint32_t *)(e + 68) == 1u << 30);
    CHECK(is((const char *)e + 104, "disk") && *(const uint32_t *)(e + 104 + 68) == 1 && e[104 + 96] == 1);
    CHECK(*(const uint64_t *)(e + 104 + 72) == 8192 && *(const uint16_t *)(e + 104 + 80) == 512);
    CHECK(is((const char *)e + 208, "service") && *(const uint32_t *)(e + 208 + 68) == 2 && e[208 + 96] == 1);
    // The whole command line fits: 8191 characters and their zero.
    printf("%lu\n", (unsigned long)strlen(si->cmdline));
    return 0;
}
