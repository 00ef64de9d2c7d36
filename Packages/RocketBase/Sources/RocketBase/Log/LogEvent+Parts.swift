import CRocketLog

// A line's parts, for sinks that keep them apart.
extension LogEvent {
    /// A text that every line has, maybe empty.
    public enum Part: CaseIterable, Sendable {
        case file, function, message, messageID, method, peer
    }

    /// A field's value.
    @safe
    public enum Value {
        // SAFETY: as the event itself, the bytes are valid while the sink's `write` runs.
        case text(UnsafeRawBufferPointer)
        case signed(Int64)
        case unsigned(UInt64)
    }

    /// Shows the bytes of a part, as they were given: nothing is escaped.
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
        // In the order in which they stand behind the head; static text stands elsewhere.
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

    /// Shows the line's fields in order: the bytes of the key, and the value.
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
