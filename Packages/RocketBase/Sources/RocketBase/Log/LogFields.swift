import CRocketLog
import RocketSystem

/// The line being built; `add` gives it key=value pairs. Lives only within the closure it was
/// given to. What passes the line's size limit is cut off, and the line says so.
///
/// Text, static text, integers and booleans take no allocation; other values make their
/// description first.
@safe
public struct LogFields: ~Copyable {
    // SAFETY: `bytes` has `capacity` bytes, of which `count` are filled; every write goes through
    // `room`, which grows it or refuses. `isOwned`: it is ours to free.
    var bytes: UnsafeMutableRawPointer
    var capacity: Int
    var count: Int
    var isOwned = false
    let limit: Int
    /// What stands at the front of the memory once the line is finished.
    var head = unsafe rocket_log_record()

    /// Builds in `memory` as long as the line fits, at most `limit` bytes in all.
    init(in memory: UnsafeMutableRawBufferPointer, limit: Int) {
        guard let base = memory.baseAddress else { preconditionFailure("a line needs memory") }
        unsafe bytes = base
        capacity = memory.count
        count = unsafe MemoryLayout<rocket_log_record>.size
        self.limit = limit
    }

    deinit { if isOwned { unsafe bytes.deallocate() } }

    // MARK: - Fields

    /// Adds text; it stands in quotes where it holds blanks, quotes or equal signs.
    public mutating func add(_ key: StaticString, _ value: String) {
        addText(key, value)
    }

    /// Adds text that is known at compile time.
    public mutating func add(_ key: StaticString, _ value: StaticString) {
        value.withUTF8Buffer { text in
            key.withUTF8Buffer { unsafe append($0, UnsafeRawBufferPointer(text)) }
        }
    }

    /// Adds a whole number. Numbers beyond 64 bits are held at the ends.
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

    /// Adds a duration in whole microseconds, rounded up; say so in the key (`elapsed_us`).
    public mutating func add(_ key: StaticString, microsecondsOf value: Duration) {
        let nanoseconds = value.wholeNanoseconds
        addSigned(key, nanoseconds / 1000 + (nanoseconds % 1000 > 0 ? 1 : 0))
    }

    /// Adds a value's description.
    public mutating func add(_ key: StaticString, _ value: some CustomStringConvertible) {
        addText(key, value.description)
    }

    /// Adds an error's text.
    public mutating func add(_ key: StaticString, error value: any Error) {
        addText(key, String(describing: value))
    }

    /// Adds text under a key that is made at run time.
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
}
