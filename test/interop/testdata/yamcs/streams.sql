create stream cfdp_in as select substring(packet, 6) as pdu from tm_files where extract_short(packet, 0) = 2
create stream cfdp_out (gentime TIMESTAMP, entityId long, seqNum int, pdu binary)
insert into tc_files select gentime, 'cfdp' as origin, seqNum, '/craft/file' as cmdName, unhex('1002C0000000') + pdu as binary from cfdp_out
