/// What became of a log system's lines so far. `accepted + dropped` is what was attempted at
/// levels that were on.
public struct LogStatistics: Sendable, Equatable {
    /// Lines taken into a buffer.
    public var accepted: UInt64 = 0
    /// Lines refused because the buffer was full, or the system shut down.
    public var dropped: UInt64 = 0
    /// Lines handed to the sinks, those of the logger itself not counted.
    public var drained: UInt64 = 0
    /// Lines that a sink could not write, summed over the sinks: a full disk, a closed pipe.
    public var lost: UInt64 = 0

    /// All zero.
    public init() {}
}
