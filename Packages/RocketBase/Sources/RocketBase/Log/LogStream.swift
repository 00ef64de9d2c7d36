/// The two logs that a process writes, as in the original: what the framework does for its calls,
/// and what the application has to say. Each has a level and a file of its own.
@frozen
public enum LogStream: UInt8, CaseIterable, Sendable {
    case rpc, app

    /// As it stands in file names: `rpc`.
    public var name: String { self == .rpc ? "rpc" : "app" }
}
