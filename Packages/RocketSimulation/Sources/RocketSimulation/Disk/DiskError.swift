/// Why an operation of a simulated disk has failed.
public enum DiskError: Error, Hashable, Sendable {
    /// There is no file of this name (ENOENT).
    case missing
    /// No space is left (ENOSPC). Nothing was written.
    case full
    /// The disk has failed (EIO).
    case failed
    /// The disk has stopped: its machine or its process has ended, and was not started again.
    case stopped
}

/// What happens to changes whose sync fails.
public enum DiskSyncFailure: Hashable, Sendable {
    /// The next sync that succeeds writes them.
    case keeping
    /// No later sync writes them, as on Linux (ext4, XFS), where the cache takes them for written:
    /// they can be read, also by the next process, and are lost with the power. A program is safe
    /// only if it writes the same bytes again.
    case dropping
}

/// What a simulated disk has done since it was made. A value.
public struct DiskCounts: Hashable, Sendable {
    /// Writes, also those that failed.
    public var writes = 0
    /// Bytes of writes that did not fail.
    public var bytesWritten = 0
    /// Syncs, also those that failed.
    public var syncs = 0
    /// Operations that failed, except on a disk that has stopped.
    public var failures = 0
    /// Ends of its process.
    public var kills = 0
    /// Losses of power.
    public var powerLosses = 0
    /// Bytes that were written and lost with the power.
    public var bytesLost = 0
}
