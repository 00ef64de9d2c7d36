import Testing

@testable import Postgres

/// libpq's results as events, without a server.
struct PipelineStateTests {
    private func ended(_ outcomes: [(Int, PipelineState.Outcome)]) -> PipelineState.Step {
        .ended(outcomes.map { PipelineState.Ended(tag: $0.0, outcome: $0.1) })
    }

    private func state(_ tags: [Int?]) -> PipelineState {
        var state = PipelineState()
        for tag in tags { if let tag { state.sent(tag) } else { state.sentSync() } }
        return state
    }

    @Test("Statements end at their sync, in the order in which they were sent")
    func success() {
        var state = state([1, 2, nil, 3, nil])
        #expect(state.first == 1)
        for event in [.succeeded, .end, .succeeded, .end] as [PipelineState.Event] {
            #expect(state.received(event) == .none)
        }
        #expect(state.first == nil)
        #expect(state.received(.sync) == ended([(1, .succeeded), (2, .succeeded)]))
        #expect(state.first == 3)
        _ = state.received(.succeeded)
        _ = state.received(.end)
        #expect(state.received(.sync) == ended([(3, .succeeded)]))
        #expect(!state.isWaiting)
    }

    @Test("An error undoes the statements before it, and skips those behind it")
    func failure() {
        var state = state([1, 2, 3, nil])
        let events: [PipelineState.Event] = [.succeeded, .end, .failed, .end, .aborted, .end]
        for event in events { #expect(state.received(event) == .none) }
        #expect(state.received(.sync) == ended([(1, .aborted), (2, .failed), (3, .aborted)]))
    }

    @Test("A commit that fails has undone all statements")
    func commitFails() {
        var state = state([1, 2, nil])
        for event in [.succeeded, .end, .succeeded, .end, .failed, .end] as [PipelineState.Event] {
            #expect(state.received(event) == .none)
        }
        #expect(state.received(.sync) == ended([(1, .failed), (2, .failed)]))
    }

    @Test("After a failed transaction the next one counts by itself")
    func nextTransaction() {
        var state = state([1, nil, 2, nil])
        _ = state.received(.failed)
        _ = state.received(.end)
        #expect(state.received(.sync) == ended([(1, .failed)]))
        _ = state.received(.succeeded)
        _ = state.received(.end)
        #expect(state.received(.sync) == ended([(2, .succeeded)]))
    }

    @Test("Further ends without a result mean nothing")
    func emptyEnds() {
        var state = state([1, nil])
        #expect(state.received(.end) == .none)
        _ = state.received(.succeeded)
        _ = state.received(.end)
        #expect(state.received(.end) == .none)
        #expect(state.received(.sync) == ended([(1, .succeeded)]))
        #expect(state.received(.end) == .none)
    }

    @Test("A result of nothing that was sent is unexpected")
    func unexpected() {
        for event in [.succeeded, .failed, .aborted, .sync] as [PipelineState.Event] {
            var idle = PipelineState()
            #expect(idle.received(event) == .unexpected)
        }
        var early = state([1, nil])
        #expect(early.received(.sync) == .unexpected)
        var sync = state([nil])
        #expect(sync.received(.succeeded) == .unexpected)
    }

    @Test("What was not committed when the connection is lost is unknown, and no more than that")
    func lost() {
        var state = state([1, nil, 2, 3, nil, 4])
        for event in [.succeeded, .end, .sync, .succeeded, .end] as [PipelineState.Event] {
            _ = state.received(event)
        }
        // The second transaction may be committed, although one result has come.
        #expect(state.lose() == [2, 3, 4])
        #expect(!state.isWaiting && state.lose() == [])
    }

    @Test("A long pipeline keeps no memory of what has ended")
    func long() {
        var state = PipelineState()
        for tag in 1...10_000 {
            state.sent(tag)
            state.sentSync()
            if tag < 3 { continue }
            _ = state.received(.succeeded)
            _ = state.received(.end)
            #expect(state.received(.sync) == ended([(tag - 2, .succeeded)]))
        }
        #expect(state.lose() == [9_999, 10_000])
    }
}
