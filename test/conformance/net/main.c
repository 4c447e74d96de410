// Sends frames and reads them back.
#include "../raw.h"

static uint8_t out[9100], in[9100];

static int32_t raw(unsigned call, uint64_t handle, void *data, uint64_t *len)
{
    volatile struct net n = {handle, (uintptr_t)data, *len, -1};
    CALL(call, &n);
    *len = n.len;
    return n.ret;
}

int solo5_app_main(const struct solo5_start_info *si)
{
    solo5_handle_t h;
    struct solo5_net_info info;
    size_t n;
    uint64_t len = 60;
    (void)si;

    CHECK(solo5_net_acquire("service", &h, &info) == SOLO5_R_OK && h == 1);
    CHECK((info.mac_address[0] & 3) == 2); // one device's, locally given
    printf("mtu %lu\n", (unsigned long)info.mtu);
    // Nothing there: again, and it does not wait.
    uint64_t before = solo5_clock_monotonic();
    CHECK(solo5_net_read(h, in, sizeof in, &n) == SOLO5_R_AGAIN);
    CHECK(solo5_clock_monotonic() - before < 30000000000);
    // From the shortest frame to the longest.
    size_t longest = info.mtu + SOLO5_NET_HLEN;
    for (size_t size = 60; size <= longest; size = size * 2 < longest || size == longest ? size * 2 : longest) {
        for (size_t i = 0; i < size; i++)
            out[i] = (uint8_t)(i * 7 + size);
        memset(out, 0xff, 6);
        out[12] = 0x88, out[13] = 0xb5;
        CHECK(solo5_net_write(h, out, size) == SOLO5_R_OK);
        do {
            solo5_handle_set_t ready;
            solo5_yield(solo5_clock_monotonic() + 60000000000, &ready);
            CHECK(ready == 1 << 1);
            CHECK(solo5_net_read(h, in, longest, &n) == SOLO5_R_OK);
        } while (in[12] != 0x88 || in[13] != 0xb5);
        CHECK(n == size && memcmp(in, out, n) == 0);
    }
    // Handles that are no network.
    CHECK(raw(NET_WRITE, 0, out, &len) == SOLO5_R_EINVAL);
    CHECK(raw(NET_READ, 2, in, &len) == SOLO5_R_EINVAL);
    CHECK(raw(NET_WRITE, ~0ull, out, &len) == SOLO5_R_EINVAL);
    return 0;
}
