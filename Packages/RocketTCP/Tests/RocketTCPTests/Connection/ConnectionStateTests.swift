import RocketSystem
import Testing

@testable import RocketTCP

@Suite struct ConnectionStateTests {
    typealias Event = ConnectionState.Event
    typealias Action = ConnectionState.Action

    static let reset = CloseReason.peerReset

    /// Every phase, with the events that lead to it.
    static let paths: [String: [Event]] = [
        "connecting": [],
        "connecting, closing": [.closeAfterFlush(.requested)],
        "connected": [.connected],
        "peer finished": [.connected, .peerFinished],
        "finishing": [.connected, .finishWriting],
        "finished": [.connected, .finishWriting, .flushed(lingering: true)],
        "draining": [.connected, .closeAfterFlush(.requested)],
        "draining, peer finished": [.connected, .peerFinished, .closeAfterFlush(.requested)],
        "draining, end sent": [
            .connected, .closeAfterFlush(.requested), .flushed(lingering: true),
        ],
        "closed": [.connected, .closeNow(.requested)],
    ]

    /// State, event, action, and phase afterwards.
    static let table: [(String, Event, Action, ConnectionState.Phase)] = [
        ("connecting", .connected, .notifyConnected, .connected),
        ("connecting", .peerFinished, .nothing, .connecting),
        ("connecting", .finishWriting, .nothing, .connecting),
        ("connecting", .closeAfterFlush(.requested), .nothing, .connecting),
        ("connecting", .closeNow(.requested), .close(.requested), .closed),
        ("connecting", .flushed(lingering: true), .nothing, .connecting),
        ("connecting", .failed(reset), .close(reset), .closed),
        ("connecting, closing", .connected, .flush, .draining),
        ("connecting, closing", .failed(reset), .close(reset), .closed),
        ("connecting, closing", .closeNow(.stopped), .close(.requested), .closed),
        ("connected", .connected, .nothing, .connected),
        ("connected", .peerFinished, .notifyInputEnded, .halfClosed),
        ("connected", .finishWriting, .flush, .halfClosed),
        ("connected", .closeAfterFlush(.requested), .flush, .draining),
        ("connected", .closeNow(.requested), .close(.requested), .closed),
        ("connected", .flushed(lingering: true), .nothing, .connected),
        ("connected", .failed(reset), .close(reset), .closed),
        ("peer finished", .connected, .nothing, .halfClosed),
        ("peer finished", .peerFinished, .nothing, .halfClosed),
        ("peer finished", .finishWriting, .flush, .halfClosed),
        ("peer finished", .closeAfterFlush(.requested), .flush, .draining),
        ("peer finished", .closeNow(.requested), .close(.requested), .closed),
        ("peer finished", .flushed(lingering: true), .nothing, .halfClosed),
        ("peer finished", .failed(reset), .close(reset), .closed),
        ("finishing", .peerFinished, .flush, .draining),
        ("finishing", .finishWriting, .nothing, .halfClosed),
        ("finishing", .closeAfterFlush(.requested), .flush, .draining),
        ("finishing", .closeNow(.requested), .close(.requested), .closed),
        ("finishing", .flushed(lingering: true), .sendEnd, .halfClosed),
        ("finishing", .flushed(lingering: false), .sendEnd, .halfClosed),
        ("finishing", .failed(reset), .close(reset), .closed),
        ("finished", .peerFinished, .close(.peerFinished), .closed),
        ("finished", .finishWriting, .nothing, .halfClosed),
        ("finished", .closeAfterFlush(.requested), .flush, .draining),
        ("finished", .closeNow(.requested), .close(.requested), .closed),
        ("finished", .flushed(lingering: true), .nothing, .halfClosed),
        ("finished", .failed(reset), .close(reset), .closed),
        ("draining", .peerFinished, .flush, .draining),
        ("draining", .finishWriting, .nothing, .draining),
        ("draining", .closeAfterFlush(.drained), .nothing, .draining),
        ("draining", .closeNow(.stopped), .close(.requested), .closed),
        ("draining", .flushed(lingering: true), .sendEnd, .draining),
        ("draining", .flushed(lingering: false), .close(.requested), .closed),
        ("draining", .failed(reset), .close(reset), .closed),
        ("draining, peer finished", .peerFinished, .nothing, .draining),
        ("draining, peer finished", .flushed(lingering: true), .close(.requested), .closed),
        ("draining, peer finished", .failed(reset), .close(reset), .closed),
        ("draining, end sent", .peerFinished, .close(.requested), .closed),
        ("draining, end sent", .flushed(lingering: true), .nothing, .draining),
        ("draining, end sent", .flushed(lingering: false), .close(.requested), .closed),
        ("draining, end sent", .closeNow(.stopped), .close(.requested), .closed),
        ("draining, end sent", .failed(reset), .close(.requested), .closed),
        ("closed", .connected, .nothing, .closed),
        ("closed", .peerFinished, .nothing, .closed),
        ("closed", .finishWriting, .nothing, .closed),
        ("closed", .closeAfterFlush(.requested), .nothing, .closed),
        ("closed", .closeNow(.requested), .nothing, .closed),
        ("closed", .flushed(lingering: true), .nothing, .closed),
        ("closed", .failed(reset), .nothing, .closed),
    ]

    @Test("Returns the documented action for each event in each state", arguments: table.indices)
    func eachEventInEachStateHasItsAction(_ index: Int) throws {
        let (name, event, action, phase) = Self.table[index]
        var state = ConnectionState()
        for step in try #require(Self.paths[name]) { _ = state.handle(step) }
        #expect(state.handle(event) == action, "\(name), \(event)")
        #expect(state.phase == phase, "\(name), \(event)")
    }

    @Test("Delivers bytes only while the handler accepts them")
    func deliveryByState() {
        var state = ConnectionState()
        #expect(!state.delivers)
        _ = state.handle(.connected)
        #expect(state.delivers && state.acceptsOutput)
        _ = state.handle(.finishWriting)
        #expect(state.delivers && !state.acceptsOutput)
        _ = state.handle(.closeAfterFlush(.requested))
        #expect(!state.delivers)
    }
}
