import CRocketLog
import RocketSystem

/// The header of a file, after it was checked. A value.
struct FlightHeader {
    var layout: FlightLayout
    var program = ""
    var processID: Int32 = 0
    var salt: UInt32 = 0
    var startedWall: Int64 = 0
    var startedMonotonic: UInt64 = 0
    var state: UInt32 = 0
    var signal: UInt32 = 0
    var signalThread: UInt32 = 0

    /// The calendar time of a moment of the monotonic clock, clamped.
    func wall(_ nanoseconds: UInt64) -> WallTime {
        let (difference, _) = nanoseconds.subtractingReportingOverflow(startedMonotonic)
        let (sum, overflow) = startedWall.addingReportingOverflow(Int64(bitPattern: difference))
        return WallTime(nanoseconds: overflow ? startedWall : sum)
    }
}

/// Reads the contents of a file. Bytes that are not there are read as zeros; none of what is there is
/// trusted. A value.
struct FlightFile {
    private let bytes: [UInt8]

    /// A record whose check value is right.
    struct Record {
        let offset: Int
        let length: Int
        let kind: UInt8
        let flags: UInt8
        let sequence: UInt64
    }

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Reads a number; 0 if it is not all there.
    func number<Number: FixedWidthInteger>(_ offset: Int, _ type: Number.Type) -> Number {
        let size = MemoryLayout<Number>.size
        guard offset >= 0, offset <= bytes.count - size else { return 0 }
        var number: Number = 0
        for index in (0..<size).reversed() {
            number = number << 8 | Number(truncatingIfNeeded: bytes[offset + index])
        }
        return number
    }

    /// Reads text; what is no UTF-8 becomes U+FFFD.
    func text(_ offset: Int, _ length: Int) -> String {
        guard offset >= 0, length > 0, offset <= bytes.count - length else { return "" }
        return String(decoding: bytes[offset..<offset + length], as: UTF8.self)
    }

    private func checksum(_ range: Range<Int>) -> UInt32 {
        // SAFETY: the array lives, unchanged, until the checksum is returned.
        unsafe CRC32C.checksum(bytes[range].span.bytes)
    }

    // MARK: The header

    /// - Throws: `FlightRecordingError`.
    func header() throws(FlightRecordingError) -> FlightHeader {
        typealias Header = FlightFormat.Header
        guard number(Header.magic, UInt64.self) == FlightFormat.magic else { throw .foreign }
        let version = number(Header.version, UInt32.self)
        if version > FlightFormat.version { throw .newerVersion(version) }
        guard version == FlightFormat.version, bytes.count >= FlightFormat.headerBytes,
            checksum(0..<Header.check) == number(Header.check, UInt32.self)
        else { throw .damagedHeader }
        func int(_ offset: Int) -> Int { Int(clamping: number(offset, UInt64.self)) }
        func short(_ offset: Int) -> Int { Int(number(offset, UInt32.self)) }
        var header = FlightHeader(
            layout: FlightLayout(
                fileBytes: int(Header.fileBytes), loopCount: short(Header.loopCount),
                slotCount: short(Header.slotCount), loopBytes: int(Header.loopBytes),
                logCount: short(Header.logCount), logBytes: int(Header.logBytes)))
        guard header.layout.isValid else { throw .damagedHeader }
        header.processID = number(Header.processID, Int32.self)
        header.salt = number(Header.salt, UInt32.self)
        header.startedWall = number(Header.startedWall, Int64.self)
        header.startedMonotonic = number(Header.startedMonotonic, UInt64.self)
        header.program = text(
            Header.name, min(Int(number(Header.nameLength, UInt16.self)), Header.maxName))
        header.state = number(Header.state, UInt32.self)
        header.signal = number(Header.signal, UInt32.self)
        header.signalThread = number(Header.signalThread, UInt32.self)
        return header
    }

    // MARK: Records

    /// Finds the records of a ring that are whole, in the order of their places.
    func records(in ring: Range<Int>, _ salt: UInt32) -> [Record] {
        typealias Format = FlightFormat.Record
        var records: [Record] = []
        var offset = ring.lowerBound
        let end = min(ring.upperBound, bytes.count)
        while offset <= end - FlightFormat.alignment {
            let length =
                Int(bytes[offset + Format.length]) | Int(bytes[offset + Format.length + 1]) << 8
            guard length > 0, length % FlightFormat.alignment == 0, length <= end - offset,
                checksum(offset + Format.length..<offset + length) ^ salt
                    == number(offset + Format.check, UInt32.self)
            else {
                offset += FlightFormat.alignment
                continue
            }
            records.append(
                Record(
                    offset: offset, length: length, kind: bytes[offset + Format.kind],
                    flags: bytes[offset + Format.flags],
                    sequence: number(offset + Format.sequence, UInt64.self)))
            offset += length
        }
        return records
    }

    /// Reads a call from a record or a slot; nil if it is none.
    func call(_ offset: Int, _ length: Int, _ header: FlightHeader) -> FlightRecording.Call? {
        typealias Format = FlightFormat.Call
        guard number(offset + FlightFormat.Record.kind, UInt8.self) == FlightFormat.Record.call
        else { return nil }
        func size(_ field: Int) -> Int { Int(number(offset + field, UInt8.self)) }
        let sizes = (
            size(Format.methodLength), size(Format.peerLength), size(Format.wireLength),
            size(Format.idLength)
        )
        guard Format.text + sizes.0 + sizes.1 + sizes.2 + sizes.3 <= length else { return nil }
        var call = FlightRecording.Call()
        var start = offset + Format.text
        call.method = text(start, sizes.0)
        start += sizes.0
        call.peer = text(start, sizes.1)
        start += sizes.1
        call.wire = text(start, sizes.2)
        start += sizes.2
        call.messageID = text(start, sizes.3)
        let began = number(offset + Format.began, UInt64.self)
        let ended = number(offset + Format.ended, UInt64.self)
        call.beganAt = header.wall(began)
        call.duration = .nanoseconds(Int64(clamping: ended > began ? ended - began : 0))
        call.connection = number(offset + Format.connection, UInt32.self)
        call.requestBytes = Int(number(offset + Format.requestBytes, UInt32.self))
        call.responseBytes = Int(number(offset + Format.responseBytes, UInt32.self))
        return call
    }

    // MARK: Lines

    /// Reads a line of the log; nil if the record is none.
    func line(_ record: Record) -> FlightRecording.Line? {
        typealias Format = FlightFormat.Line
        let offset = record.offset
        func size(_ field: Int) -> Int { Int(number(offset + field, UInt16.self)) }
        let file = size(Format.fileLength)
        let message = size(Format.messageLength)
        let texts = (size(Format.idLength), size(Format.methodLength), size(Format.peerLength))
        let fields = size(Format.fieldBytes)
        guard record.kind == FlightFormat.Record.line,
            Format.text + file + message + texts.0 + texts.1 + texts.2 + fields <= record.length
        else { return nil }
        var line = FlightRecording.Line()
        line.time = WallTime(nanoseconds: number(offset + Format.time, Int64.self))
        line.level = LogLevel(rawValue: number(offset + Format.level, UInt8.self)) ?? .critical
        line.stream = LogStream(rawValue: number(offset + Format.stream, UInt8.self)) ?? .app
        line.threadID = number(offset + Format.thread, Int32.self)
        let source = number(offset + Format.line, UInt32.self)
        if file > 0 { line.location = "\(text(offset + Format.text, file)):\(source)" }

        var head = unsafe rocket_log_record()
        unsafe head.message_length = UInt32(message)
        unsafe head.message_id_length = UInt16(texts.0)
        unsafe head.method_length = UInt16(texts.1)
        unsafe head.peer_length = UInt16(texts.2)
        unsafe head.cut = record.flags & FlightFormat.Record.isCut != 0 ? 1 : 0
        let start = offset + Format.text + file
        let end = start + message + texts.0 + texts.1 + texts.2
        let count = validFields(
            from: end, to: end + fields, count: size(Format.fieldCount))
        unsafe head.field_count = UInt16(count)
        line.text = unsafe Self.text(head, bytes[start..<end + fields])
        return line
    }

    /// Returns the number of leading fields that are well-formed.
    private func validFields(from start: Int, to end: Int, count: Int) -> Int {
        let headBytes = MemoryLayout<rocket_log_field>.size
        var offset = start
        for index in 0..<count {
            guard offset + headBytes <= end else { return index }
            let kind = number(offset, UInt16.self)
            let key = Int(number(offset + 2, UInt16.self))
            let value = Int(number(offset + 4, UInt32.self))
            offset += headBytes + key + value
            let isText = UInt32(kind) == ROCKET_LOG_TEXT.rawValue
            if offset > end || !isText && value != MemoryLayout<UInt64>.size { return index }
        }
        return count
    }

    /// Formats a line as the log does.
    private static func text(_ head: rocket_log_record, _ payload: ArraySlice<UInt8>) -> String {
        let headBytes = unsafe MemoryLayout<rocket_log_record>.size
        let memory = UnsafeMutableRawBufferPointer.allocate(
            byteCount: headBytes + payload.count + 8, alignment: 8)
        defer { unsafe memory.deallocate() }
        unsafe memory.storeBytes(of: head, as: rocket_log_record.self)
        // SAFETY: the memory has room for the head and these bytes, and all lengths in the head are
        // those of parts of them.
        return unsafe payload.withUnsafeBytes { payload in
            unsafe UnsafeMutableRawBufferPointer(rebasing: memory[headBytes...])
                .copyMemory(from: payload)
            guard let base = memory.baseAddress else { return "" }
            let record = unsafe base.assumingMemoryBound(to: rocket_log_record.self)
            unsafe record.pointee.size = UInt32(headBytes + payload.count)
            let bound = unsafe rocket_log_line_bound(record)
            return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: bound) { out in
                guard let start = out.baseAddress else { return "" }
                let length = unsafe rocket_log_text(record, start)
                return unsafe String(
                    decoding: UnsafeRawBufferPointer(start: start, count: length), as: UTF8.self)
            }
        }
    }
}
