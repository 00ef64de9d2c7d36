/// What has happened on a session. Numbers of events since it began; a server adds them up.
public struct HTTP2Counters: Hashable, Sendable {
    /// Frames received, of all types.
    public var frames = 0
    /// Streams that the peer has opened, or a request that was sent.
    public var streams = 0
    /// RST_STREAM received.
    public var peerResets = 0
    /// RST_STREAM sent because of what the peer did.
    public var provokedResets = 0
    /// RST_STREAM sent because the peer had too many streams, before it knew the limit.
    public var refusedStreams = 0
    /// RST_STREAM sent by `reset`, or after a response that did not need the rest of its request.
    public var ownResets = 0
    /// PING received, without answers to ours.
    public var pings = 0
    /// SETTINGS received, without acknowledgements.
    public var settings = 0
    /// WINDOW_UPDATE received.
    public var windowUpdates = 0
    /// DATA received that had no bytes and did not end its stream.
    public var emptyData = 0
    /// PRIORITY received, and frames of unknown types.
    public var ignoredFrames = 0
    /// CONTINUATION received.
    public var continuations = 0
    /// Lists of headers above `headerListBytes`.
    public var headersTooLarge = 0
    /// Bytes of DATA received, and sent, without padding.
    public var receivedDataBytes = 0, sentDataBytes = 0
    /// Connections that ended with ENHANCE_YOUR_CALM: 0 or 1 of one session.
    public var floods = 0
    /// Connections that ended by another error of the peer: 0 or 1 of one session.
    public var connectionErrors = 0

    /// Makes counters that are 0.
    public init() {}

    /// Adds those of another session.
    public static func += (all: inout HTTP2Counters, one: HTTP2Counters) {
        all.frames += one.frames
        all.streams += one.streams
        all.peerResets += one.peerResets
        all.provokedResets += one.provokedResets
        all.refusedStreams += one.refusedStreams
        all.ownResets += one.ownResets
        all.pings += one.pings
        all.settings += one.settings
        all.windowUpdates += one.windowUpdates
        all.emptyData += one.emptyData
        all.ignoredFrames += one.ignoredFrames
        all.continuations += one.continuations
        all.headersTooLarge += one.headersTooLarge
        all.receivedDataBytes += one.receivedDataBytes
        all.sentDataBytes += one.sentDataBytes
        all.floods += one.floods
        all.connectionErrors += one.connectionErrors
    }
}
