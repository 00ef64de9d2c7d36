import CRocketLog
public import RocketSystem

/// One line on its way to the sinks. Valid only while the sink's `write` runs.
@safe
public struct LogEvent: ~Copyable {
    // SAFETY: the drain holds the record still while a sink looks at it; `init` is internal.
    let record: UnsafePointer<rocket_log_record>
    let processID: Int32
    /// Seconds that local clocks were ahead of UTC at the line's time.
    public let utcOffsetSeconds: Int32

    init(_ record: UnsafePointer<rocket_log_record>, processID: Int32, utcOffsetSeconds: Int32) {
        unsafe self.record = record
        self.processID = processID
        self.utcOffsetSeconds = utcOffsetSeconds
    }

    /// How much it matters.
    public var level: LogLevel { unsafe LogLevel(rawValue: record.pointee.level) ?? .critical }
    /// Which log it belongs to.
    public var stream: LogStream { unsafe LogStream(rawValue: record.pointee.stream) ?? .app }
    /// When it was written.
    public var time: WallTime { unsafe WallTime(nanoseconds: record.pointee.wall_nanoseconds) }
    /// Who wrote it (gettid(2)).
    public var threadID: Int32 { unsafe record.pointee.thread_id }
    /// Where in its file.
    public var line: UInt32 { unsafe record.pointee.line }
    /// The local day on which the line was written.
    public var date: CivilDate { CivilDate(at: time, utcOffsetSeconds: utcOffsetSeconds) }

    /// Room that `format` needs at most.
    public var formattedBound: Int { unsafe rocket_log_line_bound(record) }

    /// Writes the line of text with its newline to the front of `memory`, which has
    /// `formattedBound` bytes or more; its length.
    public func format(_ style: LogLineStyle, into memory: UnsafeMutableRawBufferPointer) -> Int {
        precondition(memory.count >= formattedBound, "a line's memory holds its bound")
        guard let base = memory.baseAddress else { return 0 }
        return unsafe rocket_log_line(
            record, processID, utcOffsetSeconds, rocket_log_style(rawValue: style.rawValue),
            base.assumingMemoryBound(to: CChar.self))
    }
}
