import CRocketLog
public import RocketSystem

/// One line as the sinks receive it. Valid only during the sink's `write`.
@safe
public struct LogEvent: ~Copyable {
    // SAFETY: the consumer does not release the record while a sink reads it; `init` is internal.
    private let record: UnsafePointer<rocket_log_record>
    private let processID: Int32
    /// The seconds by which local time was ahead of UTC at the time of the line.
    public let utcOffsetSeconds: Int32

    init(_ record: UnsafePointer<rocket_log_record>, processID: Int32, utcOffsetSeconds: Int32) {
        unsafe self.record = record
        self.processID = processID
        self.utcOffsetSeconds = utcOffsetSeconds
    }

    /// The severity of the line.
    public var level: LogLevel { unsafe LogLevel(rawValue: record.pointee.level) ?? .critical }
    /// The stream that the line belongs to.
    public var stream: LogStream { unsafe LogStream(rawValue: record.pointee.stream) ?? .app }
    /// The time of the log call.
    public var time: WallTime { unsafe WallTime(nanoseconds: record.pointee.wall_nanoseconds) }
    /// The id of the thread that made the log call (gettid(2)).
    public var threadID: Int32 { unsafe record.pointee.thread_id }
    /// The line number of the log call in its source file.
    public var line: UInt32 { unsafe record.pointee.line }
    /// The local date of the log call.
    public var date: CivilDate { CivilDate(at: time, utcOffsetSeconds: utcOffsetSeconds) }

    /// The number of bytes that `format` writes at most.
    public var formattedBound: Int { unsafe rocket_log_line_bound(record) }

    /// Writes the line as text, with its line feed, to the front of `memory`.
    ///
    /// - Parameter memory: has `formattedBound` bytes or more.
    /// - Returns: the number of bytes written.
    public func format(_ style: LogLineStyle, into memory: UnsafeMutableRawBufferPointer) -> Int {
        precondition(memory.count >= formattedBound, "the memory holds formattedBound bytes")
        guard let base = memory.baseAddress else { return 0 }
        return unsafe rocket_log_line(
            record, processID, utcOffsetSeconds, rocket_log_style(rawValue: style.rawValue),
            base.assumingMemoryBound(to: CChar.self))
    }

    /// Writes the message, then ` key=value` for each field and for the peer, method and id of its
    /// call, to the front of `memory`: the line without its columns and its line feed. Line feeds
    /// and tabs of the message are kept.
    ///
    /// - Parameter memory: has `formattedBound` bytes or more.
    /// - Returns: the number of bytes written.
    public func formatText(into memory: UnsafeMutableRawBufferPointer) -> Int {
        precondition(memory.count >= formattedBound, "the memory holds formattedBound bytes")
        guard let base = memory.baseAddress else { return 0 }
        return unsafe rocket_log_text(record, base.assumingMemoryBound(to: CChar.self))
    }
}

// MARK: - Parts, for sinks that store them separately

extension LogEvent {
    /// A text that each line has, possibly empty.
    public enum Part: CaseIterable, Sendable {
        case file, function, message, messageID, method, peer
    }

    /// The value of a field.
    @safe
    public enum Value {
        // SAFETY: as the event itself, the bytes are valid during the sink's `write`.
        case text(UnsafeRawBufferPointer)
        case signed(Int64)
        case unsigned(UInt64)
    }

    /// Calls `body` with the bytes of a part, without any escaping.
    public func withPart<R>(_ part: Part, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        let head = unsafe record.pointee
        switch part {
        case .file:
            if let file = unsafe head.file {
                return unsafe body(
                    UnsafeRawBufferPointer(start: file, count: Int(head.file_length)))
            }
        case .function:
            if let function = unsafe head.function {
                return unsafe body(
                    UnsafeRawBufferPointer(start: function, count: Int(head.function_length)))
            }
        default: break
        }
        // In the order of their bytes after the head; static text is not among them.
        let lengths: [(part: Part, length: Int)] = unsafe [
            (.file, head.file == nil ? Int(head.file_length) : 0),
            (.function, head.function == nil ? Int(head.function_length) : 0),
            (.message, Int(head.message_length)), (.messageID, Int(head.message_id_length)),
            (.method, Int(head.method_length)), (.peer, Int(head.peer_length)),
        ]
        var offset = 0
        for entry in lengths {
            if entry.part == part { return unsafe body(payload(offset, entry.length)) }
            offset += entry.length
        }
        return unsafe body(UnsafeRawBufferPointer(start: nil, count: 0))
    }

    /// Calls `body` with each field in order: the bytes of its key, and its value.
    public func forEachField(_ body: (UnsafeRawBufferPointer, Value) -> Void) {
        let head = unsafe record.pointee
        var offset =
            unsafe (head.file == nil ? Int(head.file_length) : 0)
            + (head.function == nil ? Int(head.function_length) : 0)
            + Int(head.message_length) + Int(head.message_id_length) + Int(head.method_length)
            + Int(head.peer_length)
        for _ in 0..<(unsafe head.field_count) {
            let size = MemoryLayout<rocket_log_field>.size
            let field = unsafe payload(offset, size).loadUnaligned(as: rocket_log_field.self)
            let key = unsafe payload(offset + size, Int(field.key_length))
            offset += size + Int(field.key_length)
            let bytes = unsafe payload(offset, Int(field.value_length))
            offset += Int(field.value_length)
            switch UInt32(field.kind) {
            case ROCKET_LOG_SIGNED.rawValue:
                unsafe body(key, .signed(bytes.loadUnaligned(as: Int64.self)))
            case ROCKET_LOG_UNSIGNED.rawValue:
                unsafe body(key, .unsigned(bytes.loadUnaligned(as: UInt64.self)))
            default: unsafe body(key, .text(bytes))
            }
        }
    }

    private func payload(_ offset: Int, _ length: Int) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(
            start: UnsafeRawPointer(record + 1) + offset, count: length)
    }
}
