import RocketBase
import RocketRPC
import RocketSystem
import RocketTCP
import SwiftProtobuf
import Testing

@testable import RocketOTLP

/// Time is a number of seconds that the test chooses.
struct ExportScheduleTests {
    private var schedule = ExportSchedule(
        interval: .seconds(2), timeout: .seconds(10), drainTimeout: .seconds(3),
        backOff: BackOff(first: .seconds(1), most: .seconds(30)))
    /// The longest waits of the back-off.
    private var random = Longest()
    private let some = ExportSchedule.Queue(isEmpty: false)
    private let full = ExportSchedule.Queue(isEmpty: false, isFull: true)
    private let none = ExportSchedule.Queue()

    private struct Longest: RandomNumberGenerator {
        mutating func next() -> UInt64 { .max }
    }

    private func at(_ seconds: Double) -> MonotonicTime {
        MonotonicTime(nanoseconds: 1_000_000_000_000) + .milliseconds(Int(seconds * 1000))
    }

    private mutating func ended(_ outcome: ExportSchedule.Outcome, _ seconds: Double) -> Bool {
        schedule.ended(outcome, at: at(seconds), using: &random)
    }

    @Test("A full batch is exported at once, others after the interval")
    mutating func batches() {
        #expect(schedule.next(none, at: at(0)) == .wait(until: nil))
        #expect(schedule.next(some, at: at(1)) == .wait(until: at(3)))
        #expect(schedule.next(some, at: at(2)) == .wait(until: at(3)))
        #expect(schedule.next(some, at: at(3)) == .export(timeout: .seconds(10)))
        #expect(!ended(.accepted, 3))
        #expect(schedule.next(some, at: at(3.5)) == .wait(until: at(5.5)))
        #expect(schedule.next(full, at: at(4)) == .export(timeout: .seconds(10)))
        #expect(!ended(.refused, 4))
        var flush = some
        flush.isFlushRequested = true
        #expect(schedule.next(flush, at: at(4)) == .export(timeout: .seconds(10)))
    }

    @Test("A failed batch is repeated later and later, as the collector wants, and others wait")
    mutating func retries() {
        #expect(schedule.next(full, at: at(0)) == .export(timeout: .seconds(10)))
        #expect(ended(.failed(retryAfter: nil), 0))
        guard case .wait(let first) = schedule.next(full, at: at(0.1)), let first else {
            Issue.record("no wait")
            return
        }
        #expect(first > at(0.4) && first <= at(1))
        #expect(schedule.next(full, at: at(1)) == .retry(timeout: .seconds(10)))
        #expect(ended(.failed(retryAfter: nil), 1))
        #expect(schedule.next(full, at: at(1.9)) != .retry(timeout: .seconds(10)))
        #expect(schedule.next(full, at: at(3)) == .retry(timeout: .seconds(10)))
        #expect(ended(.failed(retryAfter: .seconds(20)), 3))
        #expect(schedule.next(full, at: at(20)) == .wait(until: at(23)))
        #expect(schedule.next(full, at: at(23)) == .retry(timeout: .seconds(10)))
        #expect(!ended(.accepted, 23))
        #expect(schedule.next(full, at: at(23)) == .export(timeout: .seconds(10)))
        // After a success it begins again; a day is a minute.
        #expect(ended(.failed(retryAfter: .seconds(86_400)), 23))
        #expect(schedule.next(full, at: at(24)) == .wait(until: at(83)))
    }

    @Test("A batch is given up after five minutes")
    mutating func givesUp() {
        #expect(schedule.next(full, at: at(0)) == .export(timeout: .seconds(10)))
        #expect(ended(.failed(retryAfter: nil), 0))
        var seconds = 0.0
        while case .wait(let until) = schedule.next(full, at: at(seconds)), let until {
            seconds = Double((until - at(0)).wholeNanoseconds) / 1e9
            #expect(schedule.next(full, at: until) == .retry(timeout: .seconds(10)))
            if !schedule.ended(.failed(retryAfter: nil), at: until, using: &random) { break }
        }
        #expect(seconds > 200 && seconds <= 300)
        #expect(schedule.next(none, at: at(301)) == .wait(until: nil))
    }

    @Test("At the end what is left is exported, batch by batch, within the limit")
    mutating func end() {
        _ = schedule.next(some, at: at(0))
        schedule.shutDown(at: at(1))
        #expect(schedule.next(some, at: at(1)) == .export(timeout: .seconds(3)))
        #expect(!ended(.accepted, 2))
        #expect(schedule.next(some, at: at(2)) == .export(timeout: .seconds(2)))
        #expect(!ended(.accepted, 2.5))
        #expect(schedule.next(none, at: at(2.5)) == .end)
        #expect(schedule.next(some, at: at(4)) == .end)
    }

    @Test("At the end a batch that waits is tried at once, and given up at the limit")
    mutating func endWhileFailing() {
        #expect(schedule.next(full, at: at(0)) == .export(timeout: .seconds(10)))
        #expect(ended(.failed(retryAfter: .seconds(60)), 0))
        schedule.shutDown(at: at(1))
        schedule.shutDown(at: at(2))
        #expect(schedule.next(full, at: at(1)) == .retry(timeout: .seconds(3)))
        #expect(ended(.failed(retryAfter: .seconds(60)), 1))
        #expect(schedule.next(full, at: at(2)) == .wait(until: at(4)))
        #expect(schedule.next(full, at: at(4)) == .end)
    }

    @Test("Codes that pass are repeated, others are not, as OTLP has it")
    func codes() throws {
        typealias Outcome = ExportSchedule.Outcome
        for code: RPCErrorCode in [
            .unavailable, .cancelled, .deadlineExceeded, .aborted, .outOfRange, .dataLoss,
            .failedConnect, .peerClosed, .failedGetReply,
        ] {
            #expect(Outcome(RPCError(code, "")) == .failed(retryAfter: nil), "\(code)")
        }
        for code: RPCErrorCode in [
            .invalidArgument, .unimplemented, .unauthenticated, .permissionDenied, .internal,
            .unknown, .notFound, .resourceExhausted, .failedEncode,
        ] {
            #expect(Outcome(RPCError(code, "")) == .refused, "\(code)")
        }
        let info = Google_Rpc_RetryInfo.with {
            $0.retryDelay.seconds = 4
            $0.retryDelay.nanos = 500_000_000
        }
        let wait = try RPCErrorDetail(info)
        for code: RPCErrorCode in [.resourceExhausted, .unavailable] {
            #expect(
                Outcome(RPCError(code, "", details: [wait]))
                    == .failed(retryAfter: .milliseconds(4500)))
        }
        let negative = try RPCErrorDetail(
            Google_Rpc_RetryInfo.with { $0.retryDelay.seconds = -4 })
        #expect(
            Outcome(RPCError(.unavailable, "", details: [negative]))
                == .failed(retryAfter: .zero))
    }
}
