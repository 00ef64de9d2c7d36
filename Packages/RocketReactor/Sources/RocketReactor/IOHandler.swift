/// What a registration wants to be told about.
@frozen
public struct IOInterest: OptionSet, Hashable, Sendable {
    /// The bits.
    public let rawValue: UInt8
    /// From bits.
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// There is something to read, a connection to accept, or the end of the input.
    public static let read = IOInterest(rawValue: 1)
    /// There is room to write, or a connect has finished.
    public static let write = IOInterest(rawValue: 2)
    /// The peer has shut its writing side, also while `read` is not asked for.
    public static let readHangup = IOInterest(rawValue: 4)
    /// Tell once per change, not as long as it holds. Fixed at registration.
    public static let edgeTriggered = IOInterest(rawValue: 8)
}

/// What has happened on a descriptor. `hangup` and `error` come unasked.
@frozen
public struct IOEvents: OptionSet, Hashable, Sendable {
    /// The bits.
    public let rawValue: UInt8
    /// From bits.
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Reading will not block.
    public static let readable = IOEvents(rawValue: 1)
    /// Writing will not block.
    public static let writable = IOEvents(rawValue: 2)
    /// The peer has shut its writing side.
    public static let readHangup = IOEvents(rawValue: 4)
    /// Both directions are shut.
    public static let hangup = IOEvents(rawValue: 16)
    /// An error is pending on the descriptor.
    public static let error = IOEvents(rawValue: 32)
}

/// Who is told of a descriptor's events. The loop holds it as long as it is registered.
public protocol IOHandler: AnyObject {
    /// On the loop's thread. `events` is never empty, and holds only what the registration is
    /// interested in at this moment, besides `hangup` and `error`.
    func ready(_ events: IOEvents, on reactor: Reactor)
}

/// Who has something to finish at the end of the tick, as flushing what was written in it.
public protocol TickEndHandler: AnyObject {
    /// On the loop's thread, once per enrolment.
    func tickEnding(on reactor: Reactor)
}
