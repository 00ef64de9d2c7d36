import CRocketLog

/// Records lines of the log in a ring. Used under the lock of a buffer of the log.
@safe
struct FlightLines: Sendable {
    private typealias Line = FlightFormat.Line
    private typealias Record = FlightFormat.Record

    // SAFETY: the ring's memory lives as long as the recorder.
    private let recorder: FlightRecorder
    private var ring: FlightRing

    init(_ recorder: FlightRecorder, _ ring: FlightRing) {
        self.recorder = recorder
        self.ring = ring
    }

    /// Writes a line; one that is too long without its last fields, or cut.
    mutating func append(_ line: UnsafePointer<rocket_log_record>) {
        let head = unsafe line.pointee
        let payload = unsafe UnsafeRawPointer(line + 1)
        // File and function are in the payload, unless they are static text.
        let fileBytes = unsafe head.file == nil ? Int(head.file_length) : 0
        let functionBytes = unsafe head.function == nil ? Int(head.function_length) : 0
        var offset = fileBytes + functionBytes
        let size = unsafe Int(head.size) - MemoryLayout<rocket_log_record>.size
        let texts =
            unsafe Int(head.message_id_length) + Int(head.method_length)
            + Int(head.peer_length)
        let file = unsafe min(Int(head.file_length), 96)
        let room = Line.maxBytes - Line.text - file - texts
        if room < 0 { return }
        let message = unsafe min(Int(head.message_length), room)
        // The size is padded by up to 7 bytes.
        let (fields, fieldCount) = unsafe Self.fields(
            payload, from: offset + Int(head.message_length) + texts, to: size,
            count: Int(head.field_count), atMost: room - message)
        let isCut =
            unsafe message < Int(head.message_length) || fieldCount < Int(head.field_count)
            || head.cut != 0
        let length = FlightFormat.padded(Line.text + file + message + texts + fields)
        let memory = unsafe ring.next(length)
        unsafe memory.storeBytes(of: head.wall_nanoseconds, toByteOffset: Line.time, as: Int64.self)
        unsafe memory.storeBytes(of: head.thread_id, toByteOffset: Line.thread, as: Int32.self)
        unsafe memory.storeBytes(of: head.level, toByteOffset: Line.level, as: UInt8.self)
        unsafe memory.storeBytes(of: head.stream, toByteOffset: Line.stream, as: UInt8.self)
        unsafe memory.storeBytes(
            of: UInt16(fieldCount), toByteOffset: Line.fieldCount, as: UInt16.self)
        unsafe memory.storeBytes(of: head.line, toByteOffset: Line.line, as: UInt32.self)
        func store(_ count: Int, _ offset: Int) {
            unsafe memory.storeBytes(of: UInt16(count), toByteOffset: offset, as: UInt16.self)
        }
        store(file, Line.fileLength)
        store(message, Line.messageLength)
        unsafe store(Int(head.message_id_length), Line.idLength)
        unsafe store(Int(head.method_length), Line.methodLength)
        unsafe store(Int(head.peer_length), Line.peerLength)
        store(fields, Line.fieldBytes)
        var end = Line.text
        func copy(_ source: UnsafeRawPointer, _ count: Int) {
            unsafe (memory + end).copyMemory(from: source, byteCount: count)
            end += count
        }
        if let text = unsafe head.file {
            unsafe copy(UnsafeRawPointer(text), file)
        } else {
            unsafe copy(payload, file)
        }
        unsafe copy(payload + offset, message)
        offset += unsafe Int(head.message_length)
        unsafe copy(payload + offset, texts + fields)
        ring.finish(length, kind: Record.line, flags: isCut ? Record.isCut : 0)
    }

    /// Returns the size and the number of the first fields that have room.
    private static func fields(
        _ payload: UnsafeRawPointer, from start: Int, to end: Int, count: Int, atMost limit: Int
    ) -> (bytes: Int, count: Int) {
        let headBytes = MemoryLayout<rocket_log_field>.size
        var offset = start
        for index in 0..<count {
            guard offset + headBytes <= end else { return (offset - start, index) }
            let field = unsafe payload.loadUnaligned(
                fromByteOffset: offset, as: rocket_log_field.self)
            let next = offset + headBytes + Int(field.key_length) + Int(field.value_length)
            if next > end || next - start > limit { return (offset - start, index) }
            offset = next
        }
        return (offset - start, count)
    }
}
