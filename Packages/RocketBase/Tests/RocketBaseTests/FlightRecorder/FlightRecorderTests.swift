import Foundation
import RocketBaseTestKit
import RocketSystem
import Testing

@testable @_spi(Recording) import RocketBase

/// What a recorder writes is what the reader finds.
@Suite struct FlightRecorderTests {
    let folder = TemporaryFolder()
    let clock = ManualTimeSource()
    var path: String { folder.path + "/flight" }

    func recorder(bytes: Int = 1 << 20, loops: Int = 1) throws -> FlightRecorder {
        try FlightRecorder(
            path: path, byteCount: bytes, program: "test", loops: loops, logBuffers: 2, time: clock)
    }

    func read() throws -> FlightRecording {
        try FlightRecording(FileContents.read(path, limit: 256 << 20))
    }

    /// Calls `body` with a call of a method.
    func with<Result>(
        _ method: String = "test.Echo", id: String = "1", connection: UInt64 = 7,
        peer: String = "127.0.0.1:1", _ body: (FlightCalls.Beginning) -> Result
    ) -> Result {
        withBytes(of: method) { method in
            withBytes(of: id) { id in
                body(
                    FlightCalls.Beginning(
                        method: method, messageID: id, methodIndex: method.count,
                        connection: connection, peer: peer, wire: "TinyPB", requestBytes: 12))
            }
        }
    }

    @Test("A call that has not ended is in flight, one that has is among the last")
    func calls() throws {
        let recorder = try recorder()
        let calls = try #require(recorder.calls(ofLoop: "loop-0"))
        let start = clock.monotonic().nanoseconds
        let first = with(id: "first") { calls.began($0, at: start) }
        let second = with(id: "second") { calls.began($0, at: start + 1_000_000) }
        #expect(first >= 0 && second >= 0 && first != second)
        calls.ended(second, code: 10_000_005, responseBytes: 34, at: start + 5_000_000)
        calls.beat(at: MonotonicTime(nanoseconds: start + 9_000_000))

        let recording = try read()
        #expect(recording.program == "test" && recording.processID == CurrentProcess.processID)
        #expect(recording.startedAt == clock.wall() && !recording.isClosed)
        #expect(recording.missingBytes == 0 && recording.signal == 0)
        let inFlight = try #require(recording.callsInFlight.first)
        #expect(recording.callsInFlight.count == 1)
        #expect(inFlight.messageID == "first" && inFlight.method == "test.Echo")
        #expect(inFlight.peer == "127.0.0.1:1" && inFlight.wire == "TinyPB")
        #expect(inFlight.code == nil && inFlight.connection == 7 && inFlight.requestBytes == 12)
        #expect(inFlight.duration == .milliseconds(9) && inFlight.loop == "loop-0")
        let ended = try #require(recording.endedCalls.first)
        #expect(recording.endedCalls.count == 1)
        #expect(ended.messageID == "second" && ended.code?.rawValue == 10_000_005)
        #expect(ended.duration == .milliseconds(4) && ended.responseBytes == 34)
        #expect(recording.loops.count == 1 && recording.loops[0].callsInFlight == 1)
        #expect(recording.loops[0].lastRanAt == recording.lastSignOfLife)
        recorder.close()
        #expect(try read().isClosed)
    }

    @Test("The oldest calls are overwritten; what is in flight is not")
    func overwriting() throws {
        let recorder = try recorder(bytes: 1 << 20)
        let calls = try #require(recorder.calls(ofLoop: "loop"))
        let kept = with("kept.Call", id: "kept") { calls.began($0, at: 1) }
        #expect(kept >= 0)
        for number in 0..<20_000 {
            let name = String(repeating: "m", count: 1 + number % 90)
            let slot = with(name, id: "\(number)") { calls.began($0, at: 2) }
            calls.ended(slot, code: 0, responseBytes: 0, at: UInt64(3 + number))
        }
        let recording = try read()
        #expect(recording.callsInFlight.map(\.messageID) == ["kept"])
        let ids = recording.endedCalls.compactMap { Int($0.messageID) }
        #expect(ids.count > 1000 && ids.count < 20_000)
        #expect(ids.last == 19_999)
        // The last ones are there without a gap, but for what the end of the ring left over.
        #expect(Array(ids.suffix(1000)) == Array(19_000..<20_000))
        #expect(recording.endedCalls.last?.method.count == 1 + 19_999 % 90)
    }

    @Test("Calls beyond the slots are counted, and recorded when they end")
    func slots() throws {
        let recorder = try recorder()
        let calls = try #require(recorder.calls(ofLoop: "loop"))
        let count = recorder.layout.slotCount
        let taken = (0..<count + 3).map { number in with(id: "\(number)") { calls.began($0, at: 1) }
        }
        #expect(taken.filter { $0 < 0 }.count == 3)
        with(id: "late") {
            calls.ended($0, began: 1, code: 0, responseBytes: 1, isRefused: false, at: 5)
        }
        with(id: "refused") {
            calls.ended($0, began: 6, code: 1, responseBytes: 0, isRefused: true, at: 6)
        }
        var recording = try read()
        #expect(recording.callsInFlight.count == count)
        #expect(recording.loops[0].callsWithoutSlot == 3)
        #expect(recording.endedCalls.map(\.messageID) == ["late", "refused"])
        #expect(recording.endedCalls.map(\.isRefused) == [false, true])
        for slot in taken where slot >= 0 {
            calls.ended(slot, code: 0, responseBytes: 0, at: 7)
        }
        recording = try read()
        #expect(recording.callsInFlight.isEmpty && recording.endedCalls.count == count + 2)
        // A number that is none of its slots has no effect.
        calls.ended(-1, code: 0, responseBytes: 0, at: 8)
        calls.ended(count, code: 0, responseBytes: 0, at: 8)
    }

    @Test("A call that was recorded as ended, and whose slot is not free yet, is not in flight")
    func betweenEndAndSlot() throws {
        let recorder = try recorder()
        let calls = try #require(recorder.calls(ofLoop: "loop"))
        let slot = with { calls.began($0, at: 1) }
        let before = try FileContents.read(path, limit: 1 << 20)
        calls.ended(slot, code: 0, responseBytes: 0, at: 2)
        var bytes = try FileContents.read(path, limit: 1 << 20)
        let offset =
            recorder.layout.loop(0).lowerBound + recorder.layout.slots
            + slot * FlightFormat.Call.slotBytes
        bytes.replaceSubrange(offset..<offset + 16, with: before[offset..<offset + 16])
        let recording = try FlightRecording(bytes)
        #expect(recording.callsInFlight.isEmpty && recording.endedCalls.count == 1)
    }

    @Test("Text that is too long is cut, and what is no text of UTF-8 repaired")
    func longText() throws {
        let recorder = try recorder()
        let calls = try #require(recorder.calls(ofLoop: String(repeating: "l", count: 100)))
        let method = String(repeating: "ä", count: 100)
        let slot = with(method, id: String(repeating: "i", count: 300)) { calls.began($0, at: 1) }
        calls.ended(slot, code: 0, responseBytes: .max, at: 2)
        let recording = try read()
        let call = try #require(recording.endedCalls.first)
        #expect(call.method == String(repeating: "ä", count: 48))
        #expect(call.messageID == String(repeating: "i", count: 32))
        #expect(call.responseBytes == Int(UInt32.max))
        #expect(recording.loops[0].name.utf8.count == FlightFormat.Loop.maxName)
    }

    @Test("Lines of the log are recorded with fields and context, before the log's thread runs")
    func lines() throws {
        let recorder = try recorder()
        var configuration = LogConfiguration()
        configuration.outputs = []
        configuration.bufferCount = 2
        configuration.appLevel = .debug
        configuration.flightRecorder = recorder
        let logs = try LogSystem(drivenByHand: configuration, time: clock, processID: 1)
        logs.app.info("started") {
            $0.add("port", 80)
            $0.add("name", "a b")
            $0.add("delta", -3)
        }
        clock.advance(by: .milliseconds(1))
        CallContext.$current.withValue(
            CallContext(messageID: InlineString("m-1"), method: "A.b", peer: "1.2.3.4:5")
        ) { logs.rpc.error("failed") }
        clock.advance(by: .milliseconds(1))
        logs.app.debug(String(repeating: "x", count: 5000)) { $0.add("left", "out") }
        logs.app.trace("not enabled")
        let recording = try read()
        #expect(recording.lines.count == 3)
        #expect(recording.lines[0].text == #"started port=80 name="a b" delta=-3"#)
        #expect(recording.lines[0].level == .info && recording.lines[0].stream == .app)
        #expect(recording.lines[0].threadID == CurrentThread.id)
        #expect(
            recording.lines[0].location.hasPrefix("RocketBaseTests/FlightRecorderTests.swift:"))
        #expect(recording.lines[1].text == "failed peer=1.2.3.4:5 method=A.b msg_id=m-1")
        #expect(recording.lines[1].level == .error && recording.lines[1].stream == .rpc)
        #expect(recording.lines[2].text.hasPrefix("xxxx"))
        #expect(recording.lines[2].text.hasSuffix("x cut=true"))
        #expect(recording.lastSignOfLife == recording.lines[2].time)
        logs.shutdown()
        #expect(try read().isClosed)
    }

    @Test("Many lines of all sizes overwrite each other, and the last ones are whole")
    func manyLines() throws {
        let recorder = try recorder()
        var configuration = LogConfiguration()
        configuration.outputs = []
        configuration.flightRecorder = recorder
        configuration.bufferCount = 1
        let logs = try LogSystem(drivenByHand: configuration, time: clock, processID: 1)
        for number in 0..<5000 {
            logs.app.info(String(repeating: "y", count: number % 1900)) { $0.add("n", number) }
            clock.advance(by: .microseconds(1))
            logs.flush()
        }
        let numbers = try read().lines.compactMap { line in
            line.text.split(separator: "=").last.flatMap { Int($0) }
        }
        #expect(numbers.last == 4999 && numbers.count > 50)
        #expect(Array(numbers.suffix(50)) == Array(4950..<5000))
    }

    @Test("The file of a process that has crashed is kept, that of another one removed")
    func rotation() throws {
        var recorder: FlightRecorder? = try recorder()
        #expect(recorder?.earlier == nil)
        #expect(throws: SystemError.self) { _ = try self.recorder() }
        recorder = nil
        #expect(try read().isClosed)
        recorder = try self.recorder()
        #expect(recorder?.earlier == nil && folder.names == ["flight"])
        recorder = nil
        // As crashes leave it.
        for round in 1...5 {
            var bytes = try FileContents.read(path, limit: 1 << 20)
            bytes[FlightFormat.Header.state] = 0
            try FileContents.write(bytes, to: path)
            recorder = try self.recorder()
            let earlier = try #require(recorder?.earlier)
            #expect(earlier.path == path + ".1")
            #expect(earlier.processID == CurrentProcess.processID)
            #expect(folder.names.count == 1 + min(round, FlightRecorder.keptFiles))
            recorder = nil
        }
    }

    @Test(
        "Nothing that is no recorder's is removed or renamed: text, an image of a disk, an empty file",
        arguments: [Array("#!/bin/sh".utf8), [UInt8](repeating: 0, count: 8192) + [7], []])
    func foreignFile(contents: [UInt8]) throws {
        try FileContents.write(contents, to: path)
        #expect(throws: SystemError.self) { _ = try self.recorder() }
        #expect(try FileContents.read(path, limit: 1 << 20) == contents)
        #expect(folder.names == ["flight"])
    }

    // Not with a device: the code that this test was written for would remove it.
    @Test("Neither is a folder")
    func foreignKind() throws {
        let error = #expect(throws: SystemError.self) {
            _ = try FlightRecorder(path: folder.path, program: "test", loops: 1, time: clock)
        }
        #expect(error?.description.contains("no file of a flight recorder") == true)
        #expect(folder.names == [])
    }

    @Test("A dangling link at the path is an error, and nothing is left behind")
    func danglingLink() throws {
        try FileManager.default.createSymbolicLink(
            atPath: path, withDestinationPath: folder.path + "/elsewhere")
        #expect(throws: SystemError.self) { _ = try self.recorder() }
        #expect(folder.names == ["flight"])
    }

    @Test("The file of another user is left alone")
    func otherUser() throws {
        // Only root can give a file away.
        if UserAccount.effectiveUID != 0 { return }
        var recorder: FlightRecorder? = try recorder()
        _ = recorder
        recorder = nil
        try FileManager.default.setAttributes([.ownerAccountID: 65534], ofItemAtPath: path)
        let error = #expect(throws: SystemError.self) { _ = try self.recorder() }
        #expect(error?.description.contains("(uid 65534)") == true)
        #expect(folder.names == ["flight"])
    }

    @Test("Loops that are too many get nothing, sizes that are too small are an error")
    func sizes() throws {
        let recorder = try recorder(bytes: 1, loops: 2)
        #expect(try FileContents.read(path, limit: 4 << 20).count == 1 << 20)
        #expect(recorder.calls(ofLoop: "a") != nil && recorder.calls(ofLoop: "b") != nil)
        #expect(recorder.calls(ofLoop: "c") == nil)
        #expect(recorder.lines() != nil && recorder.lines() != nil && recorder.lines() == nil)
        #expect(throws: SystemError.self) {
            _ = try FlightRecorder(path: path + "2", byteCount: 1 << 20, program: "", loops: 64)
        }
        for loops in [1, 3, 64, 1024] {
            for logs in [1, 16, 256] {
                let least = FlightLayout.leastBytes(loops: loops, logs: logs)
                let layout = FlightLayout(fileBytes: least, loops: loops, logs: logs)
                #expect(layout?.isValid == true)
                #expect(FlightLayout(fileBytes: least * 9 / 10, loops: loops, logs: logs) == nil)
            }
        }
    }

    @Test("A signal that ends the process is recorded with its thread")
    func crash() async throws {
        await #expect(processExitsWith: .failure) { [path = path as String] in
            var configuration = LogConfiguration()
            configuration.outputs = [.console]
            configuration.flightRecorder = try? FlightRecorder(
                path: path, program: "crashing", loops: 1)
            let logs = try? LogSystem(configuration)
            logs?.app.info("the last line")
            UnsafeMutablePointer<Int>(bitPattern: 8)?.pointee = 1
        }
        let recording = try read()
        #expect(recording.signal == 11 && recording.signalThread > 0 && !recording.isClosed)
        #expect(recording.program == "crashing")
        #expect(recording.lines.map(\.text) == ["the last line"])
    }
}

extension FlightCalls {
    /// A call begins that has just been described.
    func began(_ call: Beginning, at now: UInt64) -> Int {
        began(
            method: call.methodIndex, connection: call.connection, messageID: call.messageID,
            requestBytes: call.requestBytes, at: now
        ) { $0(call) }
    }
}
