import eu.dariolucia.ccsds.encdec.value.TimeUtil;
import eu.dariolucia.ccsds.tmtc.algorithm.BchCltuAlgorithm;
import eu.dariolucia.ccsds.tmtc.coding.decoder.CltuRandomizerDecoder;
import eu.dariolucia.ccsds.tmtc.coding.encoder.CltuRandomizerEncoder;
import eu.dariolucia.ccsds.tmtc.datalink.channel.VirtualChannelAccessMode;
import eu.dariolucia.ccsds.tmtc.datalink.channel.receiver.*;
import eu.dariolucia.ccsds.tmtc.datalink.channel.sender.*;
import eu.dariolucia.ccsds.tmtc.datalink.pdu.*;
import eu.dariolucia.ccsds.tmtc.ocf.pdu.Clcw;
import eu.dariolucia.ccsds.tmtc.transport.builder.EncapsulationPacketBuilder;
import eu.dariolucia.ccsds.tmtc.transport.pdu.*;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.function.IntFunction;

/**
 * Transfer frames, encapsulation packets, CLTUs and time codes by eu.dariolucia.ccsds.
 *
 * <pre>
 *   encap-make PROTOCOL LENGTHOFLENGTH USER EXTENSION CCSDS DATA     the packet
 *   encap-take PACKET                                HEADER PROTOCOL USER EXTENSION CCSDS DATA
 *   aos-send MODE LENGTH INSERT OCF FECF SCID VCID REPLAY SDU...                a frame a line
 *   aos-take MODE INSERT OCF FECF VCID FRAME...     frame SCID COUNT REPLAY CRC-OK INSERT OCF, sdu HEX
 *   tm-send MODE LENGTH OCF FECF SCID VCID MASTER SDU...                        a frame a line
 *   tm-take MODE FECF VCID FRAME...          frame SCID MASTER COUNT CRC-OK OCF, sdu HEX
 *   tc-send SEGMENTED FECF AD SCID VCID MAP FIRST PACKET...                     a frame a line
 *   tc-take SEGMENTED FECF FRAME...    SCID VCID BYPASS CONTROL SEQ MAP FLAGS CRC-OK DATA, a frame a line
 *   cltu-make RANDOM FRAME, cltu-take RANDOM CLTU
 *   cuc-make SECONDS NANOS EPOCH COARSE FINE, cuc-take EPOCH CODE               with P-field
 *   cds-make SECONDS NANOS EPOCH DAYS16 SUB, cds-take EPOCH CODE
 * </pre>
 *
 * MODE is packet, encapsulation, bitstream or data; octets are in hexadecimal, "-" for none; a
 * bitstream SDU is HEX:BITS; times are of Unix, EPOCH "-" for that of the code.
 *
 * AOS frames are without header error control: what 1.0.6 computes has two of the code's four roots.
 */
public class Frames {
    static final HexFormat HEX = HexFormat.of();

    static byte[] octets(String word) {
        return word.equals("-") ? new byte[0] : HEX.parseHex(word);
    }

    static String text(byte[] b) {
        return b == null || b.length == 0 ? "-" : HEX.formatHex(b);
    }

    static String row(Object... fields) {
        StringBuilder s = new StringBuilder();
        for (Object f : fields) {
            s.append(s.length() == 0 ? "" : " ").append(f instanceof Boolean ? ((Boolean) f ? 1 : 0) : f);
        }
        return s.toString();
    }

    /** The words of a request, one after the other. */
    static class Words {
        final String[] all;
        int next = 1;

        Words(String line) {
            all = line.trim().split(" +");
        }

        String word() {
            return all[next++];
        }

        int number() {
            return Integer.parseInt(word());
        }

        boolean flag() {
            return number() != 0;
        }

        VirtualChannelAccessMode mode() {
            return VirtualChannelAccessMode.valueOf(word().toUpperCase());
        }

        Instant epoch() {
            String w = word();
            return w.equals("-") ? null : Instant.ofEpochSecond(Long.parseLong(w));
        }

        Instant instant() {
            return Instant.ofEpochSecond(Long.parseLong(word()), number());
        }

        List<String> rest() {
            List<String> l = List.of(all).subList(next, all.length);
            next = all.length;
            return l;
        }
    }

    static IPacket packet(byte[] b) {
        return (b[0] & 0xE0) == 0xE0 ? new EncapsulationPacket(b, true) : new SpacePacket(b, true);
    }

    static <T extends AbstractTransferFrame> List<String> send(AbstractSenderVirtualChannel<T> vc, List<String> sdus) {
        List<String> frames = new ArrayList<>();
        vc.register((c, f, rest) -> frames.add(text(f.getFrame())));
        for (String sdu : sdus) {
            switch (vc.getMode()) {
                case BITSTREAM:
                    String[] s = sdu.split(":");
                    vc.dispatch(new BitstreamData(octets(s[0]), Integer.parseInt(s[1])));
                    break;
                case DATA:
                    vc.dispatch(octets(sdu));
                    break;
                default:
                    vc.dispatch(packet(octets(sdu)));
            }
        }
        return frames;
    }

    /** Adds to rows what a receiver delivers. */
    static void deliver(AbstractReceiverVirtualChannel<?> vc, List<String> rows) {
        vc.register(new IVirtualChannelReceiverOutput() {
            @Override
            public void spacePacketExtracted(AbstractReceiverVirtualChannel c, AbstractTransferFrame f, byte[] p, boolean good, List<PacketGap> gaps) {
                rows.add(row("sdu", text(p), good));
            }

            @Override
            public void encapsulationPacketExtracted(AbstractReceiverVirtualChannel c, AbstractTransferFrame f, byte[] p, boolean good, List<PacketGap> gaps) {
                rows.add(row("sdu", text(p), good));
            }

            @Override
            public void dataExtracted(AbstractReceiverVirtualChannel c, AbstractTransferFrame f, byte[] data, int missing) {
                rows.add(row("sdu", text(data), 1));
            }

            @Override
            public void bitstreamExtracted(AbstractReceiverVirtualChannel c, AbstractTransferFrame f, byte[] data, int bits, int missing) {
                rows.add(row("sdu", text(data), bits));
            }
        });
    }

    static AosTransferFrame.UserDataType unit(VirtualChannelAccessMode mode) {
        switch (mode) {
            case BITSTREAM: return AosTransferFrame.UserDataType.B_PDU;
            case DATA: return AosTransferFrame.UserDataType.VCA;
            default: return AosTransferFrame.UserDataType.M_PDU;
        }
    }

    static List<String> aosSend(Words w) {
        VirtualChannelAccessMode mode = w.mode();
        int length = w.number();
        byte[] insert = octets(w.word()), ocf = octets(w.word());
        boolean fecf = w.flag();
        AosSenderVirtualChannel vc = new AosSenderVirtualChannel(w.number(), w.number(), mode, fecf, length,
                ocf.length == 0 ? null : i -> new Clcw(ocf), false, false, insert.length, i -> insert);
        vc.setReplayFlag(w.flag());
        return send(vc, w.rest());
    }

    static List<String> aosTake(Words w) {
        List<String> rows = new ArrayList<>();
        VirtualChannelAccessMode mode = w.mode();
        int insert = w.number();
        boolean ocf = w.flag(), fecf = w.flag();
        AosReceiverVirtualChannel vc = new AosReceiverVirtualChannel(w.number(), mode, true);
        deliver(vc, rows);
        for (String s : w.rest()) {
            AosTransferFrame f = new AosTransferFrame(octets(s), false, insert, unit(mode), ocf, fecf);
            rows.add(row("frame", f.getSpacecraftId(), f.getVirtualChannelFrameCount(), f.isReplayFlag(), f.isValid(),
                    insert > 0 ? text(f.getInsertZoneCopy()) : "-", ocf ? text(f.getOcfCopy()) : "-"));
            vc.accept(f);
        }
        return rows;
    }

    static List<String> tmSend(Words w) {
        VirtualChannelAccessMode mode = w.mode();
        int length = w.number();
        byte[] ocf = octets(w.word());
        boolean fecf = w.flag();
        int scid = w.number(), vcid = w.number();
        int[] master = {w.number()};
        return send(new TmSenderVirtualChannel(scid, vcid, mode, fecf, length, () -> master[0]++ & 0xFF,
                ocf.length == 0 ? null : i -> new Clcw(ocf)), w.rest());
    }

    static List<String> tmTake(Words w) {
        List<String> rows = new ArrayList<>();
        VirtualChannelAccessMode mode = w.mode();
        boolean fecf = w.flag();
        TmReceiverVirtualChannel vc = new TmReceiverVirtualChannel(w.number(), mode, true);
        deliver(vc, rows);
        for (String s : w.rest()) {
            TmTransferFrame f = new TmTransferFrame(octets(s), fecf);
            rows.add(row("frame", f.getSpacecraftId(), f.getMasterChannelFrameCount(), f.getVirtualChannelFrameCount(), f.isValid(),
                    f.isOcfPresent() ? text(f.getOcfCopy()) : "-"));
            vc.accept(f);
        }
        return rows;
    }

    static List<String> tcSend(Words w) {
        boolean segmented = w.flag(), fecf = w.flag(), ad = w.flag();
        TcSenderVirtualChannel vc = new TcSenderVirtualChannel(w.number(), w.number(), VirtualChannelAccessMode.PACKET, fecf, segmented);
        vc.setAdMode(ad);
        vc.setMapId(w.number());
        vc.setVirtualChannelFrameCounter(w.number());
        return send(vc, w.rest());
    }

    static List<String> tcTake(Words w) {
        List<String> rows = new ArrayList<>();
        boolean segmented = w.flag(), fecf = w.flag();
        IntFunction<Boolean> has = vc -> segmented;
        for (String s : w.rest()) {
            TcTransferFrame f = new TcTransferFrame(octets(s), has, fecf);
            boolean segment = segmented && !f.isControlCommandFlag();
            // 1.0.6 reads the six bits of the channel with their sign.
            rows.add(row(f.getSpacecraftId(), f.getVirtualChannelId() & 63, f.isBypassFlag(), f.isControlCommandFlag(), f.getVirtualChannelFrameCount(),
                    segment ? f.getMapId() : 0, segment ? f.getSequenceFlag() : "-", f.isValid(), text(f.getDataFieldCopy())));
        }
        return rows;
    }

    static String encapMake(Words w) {
        EncapsulationPacketBuilder b = EncapsulationPacketBuilder.create()
                .setEncapsulationProtocolId(EncapsulationPacket.ProtocolIdType.values()[w.number()]).setLengthOfLength(w.number());
        b.setUserDefinedField(w.number()).setEncapsulationProtocolIdExtension(w.number());
        byte[] defined = octets(w.word());
        b.setCcsdsDefinedField(defined.length == 0 ? null : defined);
        return text(b.setData(octets(w.word())).build().getPacket());
    }

    static String encapTake(Words w) {
        EncapsulationPacket p = new EncapsulationPacket(octets(w.word()), true);
        return row(p.getPrimaryHeaderLength(), p.getEncapsulationProtocolId().ordinal(),
                p.isUserDefinedFieldPresent() ? p.getUserDefinedField() : 0,
                p.isEncapsulationProtocolIdExtensionPresent() ? p.getEncapsulationProtocolIdExtension() : 0,
                p.isCcsdsDefinedFieldPresent() ? text(p.getCcsdsDefinedField()) : "-", text(p.getDataFieldCopy()));
    }

    static String cltuMake(Words w) {
        boolean random = w.flag();
        byte[] frame = octets(w.word());
        return text(BchCltuAlgorithm.encode(random ? new CltuRandomizerEncoder<TcTransferFrame>().apply(null, frame) : frame));
    }

    static String cltuTake(Words w) {
        boolean random = w.flag();
        byte[] frame = BchCltuAlgorithm.decode(octets(w.word()));
        return text(random ? new CltuRandomizerDecoder().apply(frame) : frame);
    }

    static String time(Instant t) {
        return row(t.getEpochSecond(), t.getNano());
    }

    static List<String> answer(String line) {
        Words w = new Words(line);
        switch (w.all[0]) {
            case "encap-make": return List.of(encapMake(w));
            case "encap-take": return List.of(encapTake(w));
            case "aos-send": return aosSend(w);
            case "aos-take": return aosTake(w);
            case "tm-send": return tmSend(w);
            case "tm-take": return tmTake(w);
            case "tc-send": return tcSend(w);
            case "tc-take": return tcTake(w);
            case "cltu-make": return List.of(cltuMake(w));
            case "cltu-take": return List.of(cltuTake(w));
            case "cuc-make": return List.of(text(TimeUtil.toCUC(w.instant(), w.epoch(), w.number(), w.number(), true)));
            case "cuc-take": {
                Instant epoch = w.epoch();
                return List.of(time(TimeUtil.fromCUC(octets(w.word()), epoch)));
            }
            case "cds-make": return List.of(text(TimeUtil.toCDS(w.instant(), w.epoch(), w.flag(), w.number(), true)));
            case "cds-take": {
                Instant epoch = w.epoch();
                return List.of(time(TimeUtil.fromCDS(octets(w.word()), epoch)));
            }
            default: throw new IllegalArgumentException(w.all[0]);
        }
    }

    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = in.readLine()) != null;) {
            try {
                answer(line).forEach(System.out::println);
            } catch (Exception e) {
                e.printStackTrace();
                System.out.println("error " + e.getClass().getSimpleName() + " " + String.valueOf(e.getMessage()).replace('\n', ' '));
            }
            System.out.println("done");
            System.out.flush();
        }
    }
}
