-- Wireshark dissectors for the frames of a space link: TM (CCSDS 132.0-B-3), TC (232.0-B-4),
-- AOS (732.0-B-5), USLP (732.1-B-3) and the control word that travels in their operational
-- control field, the CLCW (232.0-B-4 section 4.2).
--
-- Copy this file into Wireshark's folder of personal Lua plugins (Help, About, Folders), or
-- start with: wireshark -X lua_script:ccsds.lua capture.pcap
--
-- Link types: DLT_USER1 (148) TM, USER2 (149) TC, USER3 (150) AOS, USER4 (151) USLP,
-- USER5 (152) CLCW. One frame a record, without ASM and coding. What the books call managed
-- parameters is not in the frame: set it in the preferences of each protocol. Packets that
-- lie whole in a frame go on to Wireshark's own dissector "ccsds"; parts of packets are shown
-- as octets.

local packets = Dissector.get("ccsds")

-- crc16 is the frame error control of all four books: x^16 + x^12 + x^5 + 1, from ones.
local function crc16(tvb, length)
    local data, crc = tvb:range(0, length):bytes(), 0xffff
    for i = 0, length - 1 do
        crc = bit32.bxor(crc, bit32.lshift(data:get_index(i), 8))
        for _ = 1, 8 do
            crc = bit32.lshift(crc, 1)
            if crc > 0xffff then crc = bit32.bxor(bit32.band(crc, 0xffff), 0x1021) end
        end
    end
    return crc
end

-- crc32 is the long frame error control of USLP (732.1-B-3 annex B, 211.2-B): from zeros.
local function crc32(tvb, length)
    local data, crc = tvb:range(0, length):bytes(), 0
    for i = 0, length - 1 do
        crc = bit32.bxor(crc, bit32.lshift(data:get_index(i), 24))
        for _ = 1, 8 do
            local carry = bit32.btest(crc, 0x80000000)
            crc = bit32.lshift(crc, 1)
            if carry then crc = bit32.bxor(crc, 0x00a00805) end
        end
    end
    return crc
end

-- The CLCW -------------------------------------------------------------------------------

local clcw = Proto("clcw", "CCSDS Communications Link Control Word")
local w = {
    type       = ProtoField.bool("clcw.type", "Control word type", 32, { "another", "CLCW" }, 0x80000000),
    version    = ProtoField.uint32("clcw.version", "Version", base.DEC, nil, 0x60000000),
    status     = ProtoField.uint32("clcw.status", "Status field", base.DEC, nil, 0x1c000000),
    cop        = ProtoField.uint32("clcw.cop", "COP in effect", base.DEC, nil, 0x03000000),
    vcid       = ProtoField.uint32("clcw.vcid", "Virtual channel", base.DEC, nil, 0x00fc0000),
    norf       = ProtoField.bool("clcw.no_rf", "No RF available", 32, nil, 0x00008000),
    nobitlock  = ProtoField.bool("clcw.no_bit_lock", "No bit lock", 32, nil, 0x00004000),
    lockout    = ProtoField.bool("clcw.lockout", "Lockout", 32, nil, 0x00002000),
    wait       = ProtoField.bool("clcw.wait", "Wait", 32, nil, 0x00001000),
    retransmit = ProtoField.bool("clcw.retransmit", "Retransmit", 32, nil, 0x00000800),
    farmb      = ProtoField.uint32("clcw.farm_b", "FARM-B counter", base.DEC, nil, 0x00000600),
    report     = ProtoField.uint32("clcw.report", "Report value N(R)", base.DEC, nil, 0x000000ff),
}
clcw.fields = w
local clcw_short = ProtoExpert.new("clcw.short", "Control word of fewer than 4 octets", expert.group.MALFORMED, expert.severity.ERROR)
clcw.experts = { clcw_short }

function clcw.dissector(tvb, pinfo, tree)
    local sub = tree:add(clcw, tvb())
    if tvb:len() < 4 then
        sub:add_proto_expert_info(clcw_short)
        return 0
    end
    local word = tvb(0, 4)
    for _, name in ipairs({ "type", "version", "status", "cop", "vcid", "norf", "nobitlock", "lockout", "wait", "retransmit", "farmb", "report" }) do
        sub:add(w[name], word)
    end
    local flags = {}
    if word:bitfield(18, 1) == 1 then flags[#flags + 1] = "lockout" end
    if word:bitfield(19, 1) == 1 then flags[#flags + 1] = "wait" end
    if word:bitfield(20, 1) == 1 then flags[#flags + 1] = "retransmit" end
    sub:append_text(string.format(": VC %d, N(R) %d %s", word:bitfield(8, 6), word:bitfield(24, 8), table.concat(flags, " ")))
    return 4
end

-- What the frames share --------------------------------------------------------------------

-- protocol makes a Proto with what every frame can be told off for.
local function protocol(name, title)
    local p = Proto(name, title)
    local told = {
        short    = ProtoExpert.new(name .. ".short", "Frame shorter than its headers and trailers", expert.group.MALFORMED, expert.severity.ERROR),
        version  = ProtoExpert.new(name .. ".bad_version", "Transfer frame version number of another protocol", expert.group.MALFORMED, expert.severity.ERROR),
        length   = ProtoExpert.new(name .. ".bad_length", "Length field and record differ", expert.group.MALFORMED, expert.severity.ERROR),
        pointer  = ProtoExpert.new(name .. ".bad_pointer", "First header pointer lies behind the data", expert.group.MALFORMED, expert.severity.ERROR),
        checksum = ProtoExpert.new(name .. ".bad_fecf", "Frame error control field does not match", expert.group.CHECKSUM, expert.severity.ERROR),
    }
    p.experts = told
    return p, told
end

-- trailer shows OCF and FECF and returns where the data end, or nil when there is no room.
local function trailer(tvb, sub, tree, pinfo, f, told, start, has_ocf, fecf)
    local finish = tvb:len() - fecf
    if has_ocf then finish = finish - 4 end
    if finish < start then
        sub:add_proto_expert_info(told.short)
        return nil
    end
    if has_ocf then
        if tvb(finish, 1):bitfield(0, 1) == 0 then
            clcw.dissector(tvb(finish, 4):tvb(), pinfo, sub)
        else
            sub:add(f.ocf, tvb(finish, 4))
        end
    end
    if fecf > 0 then
        local at = tvb:len() - fecf
        local sum = fecf == 4 and crc32(tvb, at) or crc16(tvb, at)
        local item = sub:add(f.fecf, tvb(at, fecf))
        local good = sum == tvb(at, fecf):uint()
        sub:add(f.fecf_good, tvb(at, fecf), good):set_generated()
        if not good then item:add_proto_expert_info(told.checksum) end
    end
    return finish
end

-- spanning shows a field of packets end to end that has a first header pointer.
local function spanning(tvb, pinfo, tree, sub, f, told, start, finish, first, none, idle)
    if first == idle then
        sub:add(f.data, tvb(start, finish - start)):append_text(" (only idle data)")
        return
    end
    local at = finish
    if first ~= none then
        at = start + first
        if at >= finish then
            sub:add_proto_expert_info(told.pointer)
            at = finish
        end
    end
    if at > start then
        sub:add(f.data, tvb(start, at - start)):append_text(" (end of a packet, or the middle)")
    end
    -- The dissector of packets names itself in the columns; the frame's name stays there.
    local name, info, whole = tostring(pinfo.cols.protocol), tostring(pinfo.cols.info), 0
    while finish - at >= 7 and tvb(at, 1):bitfield(0, 3) == 0 do
        local length = tvb(at + 4, 2):uint() + 7
        if at + length > finish then break end
        if tvb(at, 2):bitfield(5, 11) == 2047 then
            sub:add(f.data, tvb(at, length)):append_text(" (idle packet)")
        else
            packets:call(tvb(at, length):tvb(), pinfo, tree)
            whole = whole + 1
        end
        at = at + length
    end
    if at < finish then
        sub:add(f.data, tvb(at, finish - at)):append_text(" (beginning of a packet)")
    end
    pinfo.cols.protocol = name
    pinfo.cols.info = info .. string.format(", %d whole packets", whole)
end

local function common(name, fecf)
    return {
        version   = ProtoField.uint8(name .. ".version", "Transfer frame version number"),
        scid      = ProtoField.uint16(name .. ".scid", "Spacecraft"),
        vcid      = ProtoField.uint8(name .. ".vcid", "Virtual channel"),
        data      = ProtoField.bytes(name .. ".data", "Data"),
        ocf       = ProtoField.bytes(name .. ".ocf", "Operational control field"),
        fecf      = (fecf or ProtoField.uint16)(name .. ".fecf", "Frame error control field", base.HEX),
        fecf_good = ProtoField.bool(name .. ".fecf.good", "Frame error control field matches"),
    }
end

local function title(pinfo, name, scid, vcid, count)
    pinfo.cols.protocol = name
    pinfo.cols.info = string.format("%s frame, SCID %d, VC %d, count %s", name, scid, vcid, tostring(count))
end

-- TM -------------------------------------------------------------------------------------

local tm, tm_told = protocol("ccsds_tm", "CCSDS TM Transfer Frame")
local t = common("ccsds_tm")
t.mcfc = ProtoField.uint8("ccsds_tm.mcfc", "Master channel frame count")
t.vcfc = ProtoField.uint8("ccsds_tm.vcfc", "Virtual channel frame count")
t.secondary = ProtoField.bytes("ccsds_tm.secondary", "Secondary header")
t.sync = ProtoField.bool("ccsds_tm.sync", "Synchronisation flag", 16, { "virtual channel access", "packets" }, 0x4000)
t.order = ProtoField.bool("ccsds_tm.order", "Packet order flag", 16, nil, 0x2000)
t.seglen = ProtoField.uint16("ccsds_tm.segment", "Segment length identifier", base.DEC, nil, 0x1800)
t.fhp = ProtoField.uint16("ccsds_tm.fhp", "First header pointer", base.DEC, nil, 0x07ff)
tm.fields = t
tm.prefs.fecf = Pref.bool("Frames have a FECF", true, "Managed parameter (132.0-B-3 section 5)")

function tm.dissector(tvb, pinfo, tree)
    local sub = tree:add(tm, tvb())
    if tvb:len() < 6 then
        sub:add_proto_expert_info(tm_told.short)
        return 0
    end
    local id = tvb(0, 2)
    sub:add(t.version, id, id:bitfield(0, 2))
    sub:add(t.scid, id, id:bitfield(2, 10))
    sub:add(t.vcid, id, id:bitfield(12, 3))
    sub:add(t.mcfc, tvb(2, 1))
    sub:add(t.vcfc, tvb(3, 1))
    for _, name in ipairs({ "sync", "order", "seglen", "fhp" }) do sub:add(t[name], tvb(4, 2)) end
    title(pinfo, "TM", id:bitfield(2, 10), id:bitfield(12, 3), tvb(3, 1):uint())
    if id:bitfield(0, 2) ~= 0 then
        sub:add_proto_expert_info(tm_told.version)
        return 0
    end
    local start = 6
    if tvb(4, 1):bitfield(0, 1) == 1 and tvb:len() > 6 then
        local length = tvb(6, 1):bitfield(2, 6) + 1
        if start + length > tvb:len() then
            sub:add_proto_expert_info(tm_told.short)
            return 0
        end
        sub:add(t.secondary, tvb(6, length))
        start = start + length
    end
    local finish = trailer(tvb, sub, tree, pinfo, t, tm_told, start, id:bitfield(15, 1) == 1, tm.prefs.fecf and 2 or 0)
    if finish == nil then return 0 end
    if tvb(4, 1):bitfield(1, 1) == 1 then
        sub:add(t.data, tvb(start, finish - start))
    else
        spanning(tvb, pinfo, tree, sub, t, tm_told, start, finish, tvb(4, 2):bitfield(5, 11), 0x7ff, 0x7fe)
    end
    return tvb:len()
end

-- TC -------------------------------------------------------------------------------------

local tc, tc_told = protocol("ccsds_tc", "CCSDS TC Transfer Frame")
local c = common("ccsds_tc")
c.bypass = ProtoField.bool("ccsds_tc.bypass", "Bypass flag", 8, { "Type-B", "Type-A" }, 0x20)
c.control = ProtoField.bool("ccsds_tc.control", "Control command flag", 8, { "control command", "data" }, 0x10)
c.length = ProtoField.uint16("ccsds_tc.length", "Frame length")
c.seq = ProtoField.uint8("ccsds_tc.seq", "Frame sequence number N(S)")
c.segment = ProtoField.uint8("ccsds_tc.segment", "Sequence flags", base.DEC, { [0] = "continuing", [1] = "first", [2] = "last", [3] = "unsegmented" }, 0xc0)
c.map = ProtoField.uint8("ccsds_tc.map", "Multiplexer access point", base.DEC, nil, 0x3f)
c.directive = ProtoField.string("ccsds_tc.directive", "COP-1 directive")
tc.fields = c
tc.prefs.fecf = Pref.bool("Frames have a FECF", true, "Managed parameter (232.0-B-4 section 5)")
tc.prefs.segment = Pref.bool("Data begin with a segment header", true, "Managed parameter (232.0-B-4 section 5)")
tc.prefs.secured = Pref.bool("Data are protected by SDLS", false, "Then what follows the segment header is shown as octets (355.0-B-2)")

-- directive names what a Type-BC frame orders (232.0-B-4 section 4.1.3.3).
local function directive(tvb)
    if tvb:len() == 1 and tvb(0, 1):uint() == 0 then return "Unlock" end
    if tvb:len() == 3 and tvb(0, 2):uint() == 0x8200 then return "Set V(R) " .. tvb(2, 1):uint() end
    return "unknown"
end

function tc.dissector(tvb, pinfo, tree)
    local sub = tree:add(tc, tvb())
    local fecf = tc.prefs.fecf and 2 or 0
    if tvb:len() < 5 + fecf then
        sub:add_proto_expert_info(tc_told.short)
        return 0
    end
    local id = tvb(0, 4)
    sub:add(c.version, id, id:bitfield(0, 2))
    sub:add(c.bypass, tvb(0, 1))
    sub:add(c.control, tvb(0, 1))
    sub:add(c.scid, id, id:bitfield(6, 10))
    sub:add(c.vcid, id, id:bitfield(16, 6))
    local length = sub:add(c.length, id, id:bitfield(22, 10) + 1)
    sub:add(c.seq, tvb(4, 1))
    title(pinfo, "TC", id:bitfield(6, 10), id:bitfield(16, 6), tvb(4, 1):uint())
    if id:bitfield(0, 2) ~= 0 then
        sub:add_proto_expert_info(tc_told.version)
        return 0
    end
    if id:bitfield(22, 10) + 1 ~= tvb:len() then
        length:add_proto_expert_info(tc_told.length)
        return 0
    end
    local finish = trailer(tvb, sub, tree, pinfo, c, tc_told, 5, false, fecf)
    if finish == nil or finish == 5 then return tvb:len() end
    local start = 5
    if id:bitfield(3, 1) == 1 then
        local order = directive(tvb(start, finish - start):tvb())
        sub:add(c.directive, tvb(start, finish - start), order)
        pinfo.cols.info:append(", " .. order)
        return tvb:len()
    end
    local whole = true
    if tc.prefs.segment then
        sub:add(c.segment, tvb(start, 1))
        sub:add(c.map, tvb(start, 1))
        whole = tvb(start, 1):bitfield(0, 2) == 3
        start = start + 1
    end
    if whole and not tc.prefs.secured and finish - start >= 7 then
        spanning(tvb, pinfo, tree, sub, c, tc_told, start, finish, 0, -1, -2)
    elseif finish > start then
        sub:add(c.data, tvb(start, finish - start))
    end
    return tvb:len()
end

-- AOS ------------------------------------------------------------------------------------

local aos, aos_told = protocol("ccsds_aos", "CCSDS AOS Transfer Frame")
local a = common("ccsds_aos")
a.vcfc = ProtoField.uint24("ccsds_aos.vcfc", "Virtual channel frame count")
a.replay = ProtoField.bool("ccsds_aos.replay", "Replay flag", 8, nil, 0x80)
a.cycle_used = ProtoField.bool("ccsds_aos.cycle_used", "Frame count cycle is used", 8, nil, 0x40)
a.cycle = ProtoField.uint8("ccsds_aos.cycle", "Frame count cycle", base.DEC, nil, 0x0f)
a.fhec = ProtoField.uint16("ccsds_aos.fhec", "Frame header error control", base.HEX)
a.insert = ProtoField.bytes("ccsds_aos.insert", "Insert zone")
a.fhp = ProtoField.uint16("ccsds_aos.fhp", "First header pointer", base.DEC, nil, 0x07ff)
a.pointer = ProtoField.uint16("ccsds_aos.bits.pointer", "Bitstream data pointer", base.HEX, nil, 0x3fff)
a.bits = ProtoField.uint16("ccsds_aos.bits", "Bits of the user's")
aos.fields = a
aos.prefs.fhec = Pref.bool("Headers have error control", false, "Managed parameter (732.0-B-5 section 5)")
aos.prefs.insert = Pref.uint("Octets of the insert zone", 0, "Managed parameter")
aos.prefs.ocf = Pref.bool("Frames have an OCF", true, "Managed parameter")
aos.prefs.fecf = Pref.bool("Frames have a FECF", true, "Managed parameter")
aos.prefs.mpdu = Pref.bool("Data fields are M_PDUs", true, "Otherwise they are shown as octets")
aos.prefs.bpdu = Pref.string("Virtual channels with B_PDUs", "", "Numbers with spaces between them")
aos.prefs.access = Pref.string("Virtual channels with access data", "", "Numbers with spaces between them")

local function listed(channels, vc) return (" " .. channels .. " "):find(" " .. vc .. " ", 1, true) ~= nil end

-- bitstream shows a B_PDU.
local function bitstream(sub, field)
    local pointer, bits = field(0, 2):bitfield(2, 14), 8 * (field:len() - 2)
    if pointer == 0x3ffe then
        bits = 0
    elseif pointer ~= 0x3fff then
        bits = math.min(bits, pointer + 1)
    end
    sub:add(a.pointer, field(0, 2))
    sub:add(a.bits, field(0, 2), bits)
    sub:add(a.data, field(2))
end

function aos.dissector(tvb, pinfo, tree)
    local sub = tree:add(aos, tvb())
    local start = 6 + (aos.prefs.fhec and 2 or 0)
    if tvb:len() < start + aos.prefs.insert then
        sub:add_proto_expert_info(aos_told.short)
        return 0
    end
    local id = tvb(0, 2)
    local scid = id:bitfield(2, 8) + 256 * tvb(5, 1):bitfield(2, 2)
    sub:add(a.version, id, id:bitfield(0, 2))
    sub:add(a.scid, id, scid)
    sub:add(a.vcid, id, id:bitfield(10, 6))
    sub:add(a.vcfc, tvb(2, 3))
    for _, name in ipairs({ "replay", "cycle_used", "cycle" }) do sub:add(a[name], tvb(5, 1)) end
    title(pinfo, "AOS", scid, id:bitfield(10, 6), tvb(2, 3):uint())
    if id:bitfield(0, 2) ~= 1 then
        sub:add_proto_expert_info(aos_told.version)
        return 0
    end
    if aos.prefs.fhec then sub:add(a.fhec, tvb(6, 2)) end
    if aos.prefs.insert > 0 then
        sub:add(a.insert, tvb(start, aos.prefs.insert))
        start = start + aos.prefs.insert
    end
    local finish = trailer(tvb, sub, tree, pinfo, a, aos_told, start, aos.prefs.ocf, aos.prefs.fecf and 2 or 0)
    if finish == nil or finish == start then return tvb:len() end
    if id:bitfield(10, 6) == 63 then
        sub:add(a.data, tvb(start, finish - start)):append_text(" (only idle data)")
    elseif listed(aos.prefs.bpdu, id:bitfield(10, 6)) and finish - start > 2 then
        bitstream(sub, tvb(start, finish - start))
    elseif aos.prefs.mpdu and finish - start > 2 and not listed(aos.prefs.access, id:bitfield(10, 6)) then
        sub:add(a.fhp, tvb(start, 2))
        spanning(tvb, pinfo, tree, sub, a, aos_told, start + 2, finish, tvb(start, 2):bitfield(5, 11), 0x7ff, 0x7fe)
    else
        sub:add(a.data, tvb(start, finish - start))
    end
    return tvb:len()
end

-- USLP -----------------------------------------------------------------------------------

local rules = { [0] = "packets spanning frames", "start of a unit", "continuing unit", "octet stream",
    "starting segment", "continuing segment", "last segment", "no segmentation" }

local uslp, uslp_told = protocol("ccsds_uslp", "CCSDS USLP Transfer Frame")
local u = common("ccsds_uslp", ProtoField.uint32)
u.destination = ProtoField.bool("ccsds_uslp.destination", "Spacecraft is the frame's", 32, { "destination", "source" }, 0x00000800)
u.map = ProtoField.uint8("ccsds_uslp.map", "Multiplexer access point")
u.truncated = ProtoField.bool("ccsds_uslp.truncated", "End of header: truncated frame")
u.length = ProtoField.uint32("ccsds_uslp.length", "Frame length")
u.bypass = ProtoField.bool("ccsds_uslp.bypass", "Bypass flag", 8, { "expedited", "sequence controlled" }, 0x80)
u.command = ProtoField.bool("ccsds_uslp.command", "Protocol control command flag", 8, nil, 0x40)
u.hasocf = ProtoField.bool("ccsds_uslp.has_ocf", "Operational control field flag", 8, nil, 0x08)
u.countlength = ProtoField.uint8("ccsds_uslp.count_length", "Frame count length", base.DEC, nil, 0x07)
u.count = ProtoField.uint64("ccsds_uslp.count", "Virtual channel frame count")
u.insert = ProtoField.bytes("ccsds_uslp.insert", "Insert zone")
u.rule = ProtoField.uint8("ccsds_uslp.rule", "Construction rule", base.DEC, rules, 0xe0)
u.upid = ProtoField.uint8("ccsds_uslp.upid", "Protocol identifier", base.DEC, nil, 0x1f)
u.pointer = ProtoField.uint16("ccsds_uslp.pointer", "First header or last valid octet pointer", base.HEX)
uslp.fields = u
uslp.prefs.fecf = Pref.uint("Octets of the FECF: 0, 2 or 4", 2, "Managed parameter (732.1-B-3 section 5)")
uslp.prefs.insert = Pref.uint("Octets of the insert zone", 0, "Managed parameter; truncated frames have none")

-- field shows the transfer frame data field.
local function field(tvb, pinfo, tree, sub, start, finish, truncated)
    local head = tvb(start, 1)
    local rule = head:bitfield(0, 3)
    sub:add(u.rule, head)
    sub:add(u.upid, head)
    start = start + 1
    local first = 0
    if rule <= 2 and not truncated then
        if finish - start < 2 then
            sub:add_proto_expert_info(uslp_told.short)
            return
        end
        first = tvb(start, 2):uint()
        sub:add(u.pointer, tvb(start, 2))
        start = start + 2
    end
    if start >= finish then return end
    if head:bitfield(3, 5) == 0 and (rule == 0 or rule == 7) and not truncated then
        spanning(tvb, pinfo, tree, sub, u, uslp_told, start, finish, first, 0xffff, -1)
    else
        sub:add(u.data, tvb(start, finish - start))
    end
end

function uslp.dissector(tvb, pinfo, tree)
    local sub = tree:add(uslp, tvb())
    local fecf = uslp.prefs.fecf
    if tvb:len() < 5 + fecf then
        sub:add_proto_expert_info(uslp_told.short)
        return 0
    end
    local id = tvb(0, 4)
    sub:add(u.version, id, id:bitfield(0, 4))
    sub:add(u.scid, id, id:bitfield(4, 16))
    sub:add(u.destination, id)
    sub:add(u.vcid, id, id:bitfield(21, 6))
    sub:add(u.map, id, id:bitfield(27, 4))
    local truncated = id:bitfield(31, 1) == 1
    sub:add(u.truncated, id, truncated)
    title(pinfo, "USLP", id:bitfield(4, 16), id:bitfield(21, 6), truncated and "none" or "")
    if id:bitfield(0, 4) ~= 12 then
        sub:add_proto_expert_info(uslp_told.version)
        return 0
    end
    local start, ocf = 4, false
    if not truncated then
        if tvb:len() < 7 + fecf then
            sub:add_proto_expert_info(uslp_told.short)
            return 0
        end
        local length = sub:add(u.length, tvb(4, 2), tvb(4, 2):uint() + 1)
        for _, name in ipairs({ "bypass", "command", "hasocf", "countlength" }) do sub:add(u[name], tvb(6, 1)) end
        if tvb(4, 2):uint() + 1 ~= tvb:len() then
            length:add_proto_expert_info(uslp_told.length)
            return 0
        end
        ocf = tvb(6, 1):bitfield(4, 1) == 1
        local n = tvb(6, 1):bitfield(5, 3)
        start = 7 + n
        if tvb:len() < start + uslp.prefs.insert + fecf then
            sub:add_proto_expert_info(uslp_told.short)
            return 0
        end
        if n > 0 then
            sub:add(u.count, tvb(7, n), tvb(7, n):uint64())
            pinfo.cols.info:append(tostring(tvb(7, n):uint64()))
        end
        if uslp.prefs.insert > 0 then
            sub:add(u.insert, tvb(start, uslp.prefs.insert))
            start = start + uslp.prefs.insert
        end
    end
    local finish = trailer(tvb, sub, tree, pinfo, u, uslp_told, start, ocf, fecf)
    if finish == nil or finish <= start then return tvb:len() end
    if id:bitfield(21, 6) == 63 then
        sub:add(u.data, tvb(start, finish - start)):append_text(" (only idle data)")
    else
        field(tvb, pinfo, tree, sub, start, finish, truncated)
    end
    return tvb:len()
end

-- Link types -----------------------------------------------------------------------------

local links = DissectorTable.get("wtap_encap")
links:add(wtap.USER1, tm)
links:add(wtap.USER2, tc)
links:add(wtap.USER3, aos)
links:add(wtap.USER4, uslp)
links:add(wtap.USER5, clcw)
