import CRocketLog
import RocketBase
import RocketSystem

/// The journal entry of one line: `KEY=value` fields in contiguous memory, which is reused.
struct JournalFields {
    private(set) var bytes: [UInt8] = []
    private(set) var entries: [Range<Int>] = []

    /// Names with a meaning of their own, here or in systemd.journal-fields(7); a line's key with
    /// such a name gets the prefix `FIELD_`. PEER and the other names
    /// of the call are not among them: a line's own `peer` means the same.
    private static let reserved: Set<[UInt8]> = Set(
        [
            "MESSAGE", "PRIORITY", "CODE_FILE", "CODE_LINE", "CODE_FUNC", "TID", "ROCKET_STREAM",
            "ROCKET_TIME_US", "MESSAGE_ID", "ERRNO", "UNIT", "USER_UNIT", "INVOCATION_ID",
            "USER_INVOCATION_ID", "DOCUMENTATION", "SYSLOG_IDENTIFIER", "SYSLOG_PID",
            "SYSLOG_FACILITY", "SYSLOG_TIMESTAMP", "SYSLOG_RAW",
        ].map { Array($0.utf8) })

    mutating func fill(from event: borrowing LogEvent) {
        bytes.removeAll(keepingCapacity: true)
        entries.removeAll(keepingCapacity: true)
        addMessage(of: event)
        add("PRIORITY", String(event.level.syslogPriority))
        add("CODE_FILE", of: event, .file)
        add("CODE_LINE", String(event.line))
        add("CODE_FUNC", of: event, .function)
        add("TID", String(event.threadID))
        add("ROCKET_STREAM", event.stream.name)
        add("ROCKET_TIME_US", String(event.time.nanoseconds / 1_000))
        add("MSG_ID", of: event, .messageID)
        add("RPC_METHOD", of: event, .method)
        add("PEER", of: event, .peer)
        unsafe event.forEachField { unsafe add($0, $1) }
    }

    private mutating func add(_ name: StaticString, _ value: String) {
        entry {
            $0.append(contentsOf: "\(name)=".utf8)
            $0.append(contentsOf: value.utf8)
        }
    }

    /// Adds MESSAGE: the text of the line and its fields, so that `journalctl -u` shows them.
    private mutating func addMessage(of event: borrowing LogEvent) {
        entry { bytes in
            bytes.append(contentsOf: "MESSAGE=".utf8)
            let (start, bound) = (bytes.count, event.formattedBound)
            bytes.append(contentsOf: repeatElement(0, count: bound))
            // SAFETY: `bytes` has `bound` bytes from `start` on.
            let length = unsafe bytes.withUnsafeMutableBytes {
                unsafe event.formatText(into: UnsafeMutableRawBufferPointer(rebasing: $0[start...]))
            }
            bytes.removeLast(bound - length)
        }
    }

    /// Adds a part of the line; an empty one is omitted.
    private mutating func add(
        _ name: StaticString, of event: borrowing LogEvent, _ part: LogEvent.Part
    ) {
        unsafe event.withPart(part) { text in
            if unsafe text.isEmpty { return }
            entry {
                $0.append(contentsOf: "\(name)=".utf8)
                unsafe Self.append(text, to: &$0)
            }
        }
    }

    private mutating func add(_ key: UnsafeRawBufferPointer, _ value: LogEvent.Value) {
        let name = unsafe Self.name(for: key)
        entry {
            $0.append(contentsOf: name)
            $0.append(UInt8(ascii: "="))
            switch value {
            case .signed(let number): $0.append(contentsOf: String(number).utf8)
            case .unsigned(let number): $0.append(contentsOf: String(number).utf8)
            case .text(let text): unsafe Self.append(text, to: &$0)
            }
        }
    }

    /// Appends text as in a line, but with its line feeds and tabs, which journalctl indents.
    private static func append(_ text: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        let start = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: text.count * 4))
        // SAFETY: `bytes` has four bytes for each byte of the text from `start` on.
        let length = unsafe bytes.withUnsafeMutableBytes { bytes in
            guard let base = text.baseAddress, let out = bytes.baseAddress else { return 0 }
            return unsafe rocket_log_escape(
                base.assumingMemoryBound(to: CChar.self), text.count,
                (out + start).assumingMemoryBound(to: CChar.self))
        }
        bytes.removeLast(text.count * 4 - length)
    }

    private mutating func entry(_ body: (inout [UInt8]) -> Void) {
        let start = bytes.count
        body(&bytes)
        entries.append(start..<bytes.count)
    }

    /// Returns a valid field name: A-Z, 0-9 and _, beginning with a letter, at most 64 bytes.
    static func name(for key: some Sequence<UInt8>) -> [UInt8] {
        var name: [UInt8] = []
        for byte in key.prefix(64) {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"): name.append(byte - 32)
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                name.append(byte)
            default: name.append(UInt8(ascii: "_"))
            }
        }
        let letters = UInt8(ascii: "A")...UInt8(ascii: "Z")
        let beginsWithLetter = name.first.map { letters.contains($0) } ?? false
        if !beginsWithLetter || reserved.contains(name) {
            let separator = name.first == UInt8(ascii: "_") ? "FIELD" : "FIELD_"
            name.insert(contentsOf: separator.utf8, at: 0)
        }
        return Array(name.prefix(64))
    }
}
