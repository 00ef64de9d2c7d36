import CRocketLog
import RocketSystem

// The bytes behind `LogFields`: laid out as rocket_log.h says.
extension LogFields {
    typealias Bytes = UnsafeBufferPointer<UInt8>

    mutating func start(
        _ level: LogLevel, _ stream: LogStream, at time: WallTime, _ place: SourceLocation
    ) {
        start(level, stream, at: time, line: place.line)
        // SAFETY: static text lives as long as the program; only non-pointer (single character)
        // representations have no address, and #fileID and #function never are.
        if place.file.hasPointerRepresentation {
            unsafe head.file = UnsafeRawPointer(place.file.utf8Start)
                .assumingMemoryBound(to: CChar.self)
            unsafe head.file_length = UInt32(place.file.utf8CodeUnitCount)
        }
        if place.function.hasPointerRepresentation {
            unsafe head.function = UnsafeRawPointer(place.function.utf8Start)
                .assumingMemoryBound(to: CChar.self)
            unsafe head.function_length = UInt32(place.function.utf8CodeUnitCount)
        }
    }

    mutating func start(
        _ level: LogLevel, _ stream: LogStream, at time: WallTime, file: String, line: UInt,
        function: String
    ) {
        start(level, stream, at: time, line: line)
        unsafe head.file_length = UInt32(append(file, atMost: 1024))
        unsafe head.function_length = UInt32(append(function, atMost: 1024))
    }

    private mutating func start(
        _ level: LogLevel, _ stream: LogStream, at time: WallTime, line: UInt
    ) {
        unsafe head.level = level.rawValue
        unsafe head.stream = stream.rawValue
        unsafe head.wall_nanoseconds = time.nanoseconds
        unsafe head.thread_id = CurrentThread.id
        unsafe head.line = UInt32(truncatingIfNeeded: line)
    }

    mutating func setMessage(_ text: StaticString) {
        let length = text.withUTF8Buffer { unsafe append($0, atMost: limit) }
        unsafe head.message_length = UInt32(length)
    }

    mutating func setMessage(_ text: String) {
        unsafe head.message_length = UInt32(append(text, atMost: limit))
    }

    mutating func setContext(_ context: CallContext?) {
        guard let call = context?.call else { return }
        unsafe head.message_id_length = UInt16(
            call.messageID.withBytes { unsafe append($0, atMost: 256) })
        unsafe head.method_length = UInt16(append(call.method, atMost: 1024))
        unsafe head.peer_length = UInt16(append(call.peer, atMost: 256))
    }

    /// Completes the record; valid until the next change of this value.
    mutating func finish() -> UnsafePointer<rocket_log_record> {
        // SAFETY: the memory is 8-aligned, begins with room for the head, and has up to 7 bytes of
        // room after `count` (see `room`).
        unsafe head.size = UInt32((count + 7) & ~7)
        unsafe bytes.storeBytes(of: head, as: rocket_log_record.self)
        return unsafe UnsafePointer(bytes.assumingMemoryBound(to: rocket_log_record.self))
    }

    // MARK: - Appending

    /// Makes room for `length` bytes more and the padding after them; false at the limit.
    private mutating func room(for length: Int) -> Bool {
        let needed = count + length + 8
        if needed <= capacity { return true }
        if needed > limit { return false }
        let larger = min(max(needed, capacity * 4), limit)
        let copy = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 8)
        unsafe copy.copyMemory(from: bytes, byteCount: count)
        if isOwned { unsafe bytes.deallocate() }
        unsafe bytes = copy
        capacity = larger
        isOwned = true
        return true
    }

    /// Appends text without a head, cut at the limits; how many bytes went in.
    private mutating func append(_ text: Bytes, atMost most: Int) -> Int {
        let length = unsafe fitting(text, atMost: min(most, limit - count - 8))
        guard length > 0, room(for: length), let base = text.baseAddress else { return 0 }
        unsafe (bytes + count).copyMemory(from: base, byteCount: length)
        count += length
        return length
    }

    private mutating func append(_ text: String, atMost most: Int) -> Int {
        unsafe withText(text) {
            unsafe append($0.assumingMemoryBound(to: UInt8.self), atMost: most)
        }
    }

    /// The length of `text` cut to `most` bytes at a character's border; marks the line when cut.
    private mutating func fitting(_ text: Bytes, atMost most: Int) -> Int {
        if text.count <= most { return text.count }
        unsafe head.cut = 1
        var length = max(0, most)
        while length > 0, unsafe text[length] & 0xC0 == 0x80 { length -= 1 }
        return length
    }

    private mutating func beginField(
        _ key: Bytes, _ kind: rocket_log_kind, valueLength: Int
    ) -> Bool {
        let size = MemoryLayout<rocket_log_field>.size
        guard key.count < 1024, unsafe head.field_count < .max,
            room(for: size + key.count + valueLength)
        else {
            unsafe head.cut = 1
            return false
        }
        let field = rocket_log_field(
            kind: UInt16(kind.rawValue), key_length: UInt16(key.count),
            value_length: UInt32(valueLength))
        unsafe (bytes + count).storeBytes(of: field, as: rocket_log_field.self)
        if let base = key.baseAddress {
            unsafe (bytes + count + size).copyMemory(from: base, byteCount: key.count)
        }
        count += size + key.count
        unsafe head.field_count += 1
        return true
    }

    mutating func append(_ key: Bytes, _ value: UnsafeRawBufferPointer) {
        let available = limit - count - key.count - MemoryLayout<rocket_log_field>.size - 8
        let length = unsafe fitting(value.assumingMemoryBound(to: UInt8.self), atMost: available)
        guard available > 0, unsafe beginField(key, ROCKET_LOG_TEXT, valueLength: length)
        else { return }
        if let base = value.baseAddress {
            unsafe (bytes + count).copyMemory(from: base, byteCount: length)
        }
        count += length
    }

    mutating func addNumber(_ key: StaticString, _ value: UInt64, _ kind: rocket_log_kind) {
        key.withUTF8Buffer { key in
            guard unsafe beginField(key, kind, valueLength: 8) else { return }
            unsafe (bytes + count).storeBytes(of: value, as: UInt64.self)
            count += 8
        }
    }

    mutating func addText(_ key: StaticString, _ value: String) {
        unsafe withText(value) { value in
            key.withUTF8Buffer { unsafe append($0, value) }
        }
    }
}

/// The text's bytes, without a copy for Swift's own strings.
func withText<R>(_ text: String, _ body: (UnsafeRawBufferPointer) -> R) -> R {
    var text = text
    return text.withUTF8 { unsafe body(UnsafeRawBufferPointer($0)) }
}
