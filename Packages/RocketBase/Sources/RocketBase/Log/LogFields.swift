import CRocketLog
import RocketSystem

/// The line under construction; `add` gives it key=value pairs. Valid only within the closure that
/// receives it. Bytes beyond the size limit of a line are cut off, and the line then ends with
/// `cut=true`.
///
/// Text, static text, integers and booleans take no allocation; for other values their description
/// is created first.
@safe
public struct LogFields: ~Copyable {
    // SAFETY: `bytes` has `capacity` bytes, of which `count` are filled; every write goes through
    // `reserve`, which grows the memory or fails. `isOwned`: the memory was allocated here.
    private var bytes: UnsafeMutableRawPointer
    private var capacity: Int
    private var count: Int
    private var isOwned = false
    private let limit: Int
    /// The head of the record, stored at the front of the memory by `finish`.
    private var head = unsafe rocket_log_record()

    /// Builds a line in `memory` as long as it fits, afterwards in allocated memory; at most
    /// `limit` bytes in all.
    init(in memory: UnsafeMutableRawBufferPointer, limit: Int) {
        guard let base = memory.baseAddress else { preconditionFailure("a line needs memory") }
        unsafe bytes = base
        capacity = memory.count
        count = unsafe MemoryLayout<rocket_log_record>.size
        self.limit = limit
    }

    deinit { if isOwned { unsafe bytes.deallocate() } }

    // MARK: - Fields

    /// Adds text. It is quoted when it contains blanks, quotes or equal signs.
    public mutating func add(_ key: StaticString, _ value: String) {
        addText(key, value)
    }

    /// Adds static text.
    public mutating func add(_ key: StaticString, _ value: StaticString) {
        value.withUTF8Buffer { text in
            key.withUTF8Buffer { unsafe append($0, UnsafeRawBufferPointer(text)) }
        }
    }

    /// Adds an integer, clamped to 64 bits.
    @inlinable
    public mutating func add(_ key: StaticString, _ value: some FixedWidthInteger) {
        if type(of: value).isSigned {
            addSigned(key, Int64(clamping: value))
        } else {
            addUnsigned(key, UInt64(clamping: value))
        }
    }

    /// Adds `true` or `false`.
    public mutating func add(_ key: StaticString, _ value: Bool) {
        add(key, value ? "true" as StaticString : "false")
    }

    /// Adds a floating point number in its shortest exact form.
    public mutating func add(_ key: StaticString, _ value: Double) {
        addText(key, value.description)
    }

    /// Adds a duration in whole microseconds, rounded up. The key should end with `_us`, as in
    /// `elapsed_us`.
    public mutating func add(_ key: StaticString, microsecondsOf value: Duration) {
        let nanoseconds = value.wholeNanoseconds
        addSigned(key, nanoseconds / 1000 + (nanoseconds % 1000 > 0 ? 1 : 0))
    }

    /// Adds the description of a value.
    public mutating func add(_ key: StaticString, _ value: some CustomStringConvertible) {
        addText(key, value.description)
    }

    /// Adds the text of an error.
    public mutating func add(_ key: StaticString, error value: any Error) {
        addText(key, String(describing: value))
    }

    /// Adds text with a key that is only known at run time.
    public mutating func add(dynamicKey key: String, _ value: String) {
        unsafe withText(key) { key in
            unsafe withText(value) { unsafe append(key.assumingMemoryBound(to: UInt8.self), $0) }
        }
    }

    @usableFromInline
    mutating func addSigned(_ key: StaticString, _ value: Int64) {
        addNumber(key, UInt64(bitPattern: value), ROCKET_LOG_SIGNED)
    }

    @usableFromInline
    mutating func addUnsigned(_ key: StaticString, _ value: UInt64) {
        addNumber(key, value, ROCKET_LOG_UNSIGNED)
    }

    private mutating func addNumber(_ key: StaticString, _ value: UInt64, _ kind: rocket_log_kind) {
        key.withUTF8Buffer { key in
            guard unsafe beginField(key, kind, valueLength: 8) else { return }
            unsafe (bytes + count).storeBytes(of: value, as: UInt64.self)
            count += 8
        }
    }

    private mutating func addText(_ key: StaticString, _ value: String) {
        unsafe withText(value) { value in
            key.withUTF8Buffer { unsafe append($0, value) }
        }
    }

    // MARK: - The record, with the layout of rocket_log.h

    /// Sets the head of the record; the source location is static text.
    mutating func start(
        _ level: LogLevel, _ stream: LogStream, at time: WallTime, _ location: SourceLocation
    ) {
        start(level, stream, at: time, line: location.line)
        // SAFETY: static text lives as long as the program; only non-pointer (single character)
        // representations have no address, and #fileID and #function never are.
        if location.file.hasPointerRepresentation {
            unsafe head.file = UnsafeRawPointer(location.file.utf8Start)
                .assumingMemoryBound(to: CChar.self)
            unsafe head.file_length = UInt32(location.file.utf8CodeUnitCount)
        }
        if location.function.hasPointerRepresentation {
            unsafe head.function = UnsafeRawPointer(location.function.utf8Start)
                .assumingMemoryBound(to: CChar.self)
            unsafe head.function_length = UInt32(location.function.utf8CodeUnitCount)
        }
    }

    /// Sets the head of the record; the source location is copied, up to 1,024 bytes of each text.
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

    /// Completes the record and returns it; valid until the next change of this value.
    mutating func finish() -> UnsafePointer<rocket_log_record> {
        // SAFETY: the memory is 8-aligned, begins with room for the head, and has up to 7 bytes of
        // room after `count` (see `reserve`).
        unsafe head.size = UInt32((count + 7) & ~7)
        unsafe bytes.storeBytes(of: head, as: rocket_log_record.self)
        return unsafe UnsafePointer(bytes.assumingMemoryBound(to: rocket_log_record.self))
    }

    // MARK: - Appending

    private typealias Bytes = UnsafeBufferPointer<UInt8>

    /// Reserves memory for `length` more bytes and the padding after them; returns false when that
    /// would exceed the limit.
    private mutating func reserve(_ length: Int) -> Bool {
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

    /// Appends text without a head, cut at the limits; returns the number of bytes appended.
    private mutating func append(_ text: Bytes, atMost most: Int) -> Int {
        let length = unsafe fitting(text, atMost: min(most, limit - count - 8))
        guard length > 0, reserve(length), let base = text.baseAddress else { return 0 }
        unsafe (bytes + count).copyMemory(from: base, byteCount: length)
        count += length
        return length
    }

    private mutating func append(_ text: String, atMost most: Int) -> Int {
        unsafe withText(text) {
            unsafe append($0.assumingMemoryBound(to: UInt8.self), atMost: most)
        }
    }

    /// Appends a text field, its value cut at the limit.
    private mutating func append(_ key: Bytes, _ value: UnsafeRawBufferPointer) {
        let available = limit - count - key.count - MemoryLayout<rocket_log_field>.size - 8
        let length = unsafe fitting(value.assumingMemoryBound(to: UInt8.self), atMost: available)
        guard available > 0, unsafe beginField(key, ROCKET_LOG_TEXT, valueLength: length)
        else { return }
        if let base = value.baseAddress {
            unsafe (bytes + count).copyMemory(from: base, byteCount: length)
        }
        count += length
    }

    /// Returns the length of `text` cut to `most` bytes between two characters; marks the line as
    /// cut when it is shorter than the text.
    private mutating func fitting(_ text: Bytes, atMost most: Int) -> Int {
        if text.count <= most { return text.count }
        unsafe head.cut = 1
        var length = max(0, most)
        while length > 0, unsafe text[length] & 0xC0 == 0x80 { length -= 1 }
        return length
    }

    /// Appends the head and the key of a field; returns false and marks the line as cut when the
    /// field would exceed a limit.
    private mutating func beginField(
        _ key: Bytes, _ kind: rocket_log_kind, valueLength: Int
    ) -> Bool {
        let size = MemoryLayout<rocket_log_field>.size
        guard key.count < 1024, unsafe head.field_count < .max,
            reserve(size + key.count + valueLength)
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
}

/// Calls `body` with the bytes of `text`, without a copy for native Swift strings.
private func withText<R>(_ text: String, _ body: (UnsafeRawBufferPointer) -> R) -> R {
    var text = text
    return text.withUTF8 { unsafe body(UnsafeRawBufferPointer($0)) }
}
