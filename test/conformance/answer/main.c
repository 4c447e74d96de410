// Lives on a network as 10.0.0.2: answers ARP, ping and UDP until a datagram says stop.
#include "../raw.h"

enum { ETH = 14, IP = ETH + 20, UDP = IP + 8 };

static const uint8_t self[4] = {10, 0, 0, 2};
static uint8_t mac[6], f[1514];

static void swap(uint8_t *a, uint8_t *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t t = a[i];
        a[i] = b[i], b[i] = t;
    }
}

static unsigned get16(const uint8_t *p) { return p[0] << 8 | p[1]; }

// arp turns a request for us into the reply (RFC 826); false if it is none.
static bool arp(size_t n)
{
    uint8_t *p = f + ETH;
    if (n < ETH + 28 || get16(f + 12) != 0x0806 || get16(p + 6) != 1 || memcmp(p + 24, self, 4) != 0)
        return false;
    p[7] = 2;
    memcpy(p + 18, p + 8, 10); // who asked
    memcpy(p + 8, mac, 6);
    memcpy(p + 14, self, 4);
    return true;
}

// ip turns an echo request or a datagram round. Checksums stay right when words change places; a
// request's type 8 is 0 in the reply, and UDP may go without one (RFC 768).
static bool ip(size_t n, bool *stop)
{
    uint8_t *p = f + ETH;
    if (n < UDP || get16(f + 12) != 0x0800 || p[0] != 0x45 || memcmp(p + 16, self, 4) != 0)
        return false;
    swap(p + 12, p + 16, 4);
    if (p[9] == 1 && f[IP] == 8) {
        unsigned sum = get16(f + IP + 2) + 0x0800;
        sum = (sum & 0xffff) + (sum >> 16);
        f[IP] = 0, f[IP + 2] = sum >> 8, f[IP + 3] = sum;
        return true;
    }
    if (p[9] != 17)
        return false;
    swap(f + IP, f + IP + 2, 2);
    f[IP + 6] = f[IP + 7] = 0;
    *stop = n >= UDP + 4 && memcmp(f + UDP, "stop", 4) == 0;
    return true;
}

int solo5_app_main(const struct solo5_start_info *si)
{
    solo5_handle_t h;
    struct solo5_net_info info;
    bool stop = false;
    (void)si;

    CHECK(solo5_net_acquire("service", &h, &info) == SOLO5_R_OK);
    memcpy(mac, info.mac_address, 6);
    while (!stop) {
        solo5_handle_set_t ready;
        size_t n;
        solo5_yield(solo5_clock_monotonic() + 3600000000000, &ready);
        while (!stop && solo5_net_read(h, f, sizeof f, &n) == SOLO5_R_OK) {
            if (!arp(n) && !ip(n, &stop))
                continue;
            memcpy(f, f + 6, 6);
            memcpy(f + 6, mac, 6);
            CHECK(solo5_net_write(h, f, n) == SOLO5_R_OK);
        }
    }
    printf("stopped\n");
    return 0;
}
