import eu.dariolucia.ccsds.tmtc.datalink.builder.AosTransferFrameBuilder;
import eu.dariolucia.ccsds.tmtc.datalink.builder.TmTransferFrameBuilder;
import eu.dariolucia.ccsds.tmtc.datalink.pdu.AosTransferFrame.UserDataType;
import java.util.HexFormat;
import java.util.Random;

/** Prints the rows of services.py: frames that carry something else than packets. */
public class Services {
    private static final Random RANDOM = new Random(5);

    private static byte[] octets(int n) {
        byte[] b = new byte[n];
        RANDOM.nextBytes(b);
        return b;
    }

    private static String hex(byte[] b) {
        return b == null || b.length == 0 ? "-" : HexFormat.of().formatHex(b);
    }

    private static void aos(UserDataType type, int insert, boolean ocf, boolean fecf) {
        int length = 60 + RANDOM.nextInt(60), scid = RANDOM.nextInt(256), vc = RANDOM.nextInt(63), count = RANDOM.nextInt(1 << 24);
        AosTransferFrameBuilder b = AosTransferFrameBuilder.create(length, false, insert, type, ocf, fecf)
                .setSpacecraftId(scid).setVirtualChannelId(vc).setVirtualChannelFrameCount(count);
        byte[] zone = octets(insert), control = ocf ? octets(4) : null;
        if (insert > 0) {
            b.setInsertZone(zone);
        }
        if (ocf) {
            b.setOcf(control);
        }
        int room = AosTransferFrameBuilder.computeUserDataLength(length, false, insert, type, ocf, fecf);
        byte[] data = octets(room);
        if (type == UserDataType.B_PDU) {
            b.addBitstreamData(data, 8 * room);
        } else {
            b.addData(data);
        }
        row("aos", type == UserDataType.B_PDU ? "bitstream" : "vca", scid, vc, count, zone, control, fecf, data, b.build().getFrame());
    }

    private static void tm(boolean ocf, boolean fecf) {
        int length = 60 + RANDOM.nextInt(60), scid = RANDOM.nextInt(1024), vc = RANDOM.nextInt(7), count = RANDOM.nextInt(256);
        TmTransferFrameBuilder b = TmTransferFrameBuilder.create(length, 0, ocf, fecf).setSpacecraftId(scid).setVirtualChannelId(vc)
                .setVirtualChannelFrameCount(count).setMasterChannelFrameCount(count).setSynchronisationFlag(true)
                .setPacketOrderFlag(false).setSegmentLengthIdentifier(0);
        byte[] control = ocf ? octets(4) : null;
        if (ocf) {
            b.setOcf(control);
        }
        byte[] data = octets(TmTransferFrameBuilder.computeUserDataLength(length, 0, ocf, fecf));
        b.addData(data);
        row("tm", "vca", scid, vc, count, null, control, fecf, data, b.build().getFrame());
    }

    private static void row(String frame, String service, int scid, int vc, int count, byte[] zone, byte[] ocf, boolean fecf, byte[] data, byte[] octets) {
        System.out.printf("%s %s %d %d %d %s %s %d %s %s%n", frame, service, scid, vc, count, hex(zone), hex(ocf), fecf ? 1 : 0, hex(data), hex(octets));
    }

    public static void main(String[] args) {
        for (int i = 0; i < 16; i++) {
            boolean ocf = (i & 4) != 0, fecf = (i & 8) != 0;
            int insert = (i & 2) != 0 ? 1 + RANDOM.nextInt(6) : 0;
            aos(UserDataType.VCA, insert, ocf, fecf);
            aos(UserDataType.B_PDU, insert, ocf, fecf);
            tm(ocf, fecf);
        }
    }
}
