import ArgumentParser
import RocketProgram
import RocketSystem
import Testing

@testable @_spi(Recording) import RocketBase
@testable import RocketToolKit

/// What `rocket crash` prints.
@Suite struct CrashReportTests {
    private let path = "/tmp/rocket-crash-\(UInt64.random(in: 0 ... .max))"

    /// The recording of a process with a call in flight, one that has failed, and a line.
    private func recording() throws -> FlightRecording {
        defer { try? FileSystem.remove(path) }
        let recorder = try FlightRecorder(path: path, byteCount: 1, program: "shop", loops: 1)
        let calls = try #require(recorder.calls(ofLoop: "rocket-io-0"))
        let now = SystemTimeSource().monotonic().nanoseconds
        for id in ["one", "two"] {
            let slot = withBytes(of: "shop.Order.make") { method in
                withBytes(of: id) { id in
                    calls.began(
                        FlightCalls.Beginning(
                            method: method, messageID: id, methodIndex: 0, connection: 3,
                            peer: "127.0.0.1:9", wire: "gRPC", requestBytes: 5), at: now)
                }
            }
            if id == "two" {
                calls.ended(slot, code: 10_000_005, responseBytes: 0, at: now + 1_500_000)
            }
        }
        var configuration = LogConfiguration()
        configuration.outputs = []
        configuration.flightRecorder = recorder
        let logs = try LogSystem(configuration)
        logs.app.warn("the \u{1b}[31mlast") { $0.add("n", 1) }
        let bytes = try FileContents.read(path, limit: 1 << 20)
        logs.shutdown()
        return try FlightRecording(bytes)
    }

    @Test("The report has the calls in flight with their ages, then calls and lines by time")
    func text() throws {
        let lines = CrashReport(try recording(), isRunning: false, last: 10).lines
        let text = lines.joined(separator: "\n")
        #expect(lines[0] == "program   shop, pid \(CurrentProcess.processID)")
        #expect(
            lines[2].hasPrefix("ended     killed, without a trace of why; the last sign of life"))
        #expect(lines[3].hasPrefix("loop      rocket-io-0: 1 in flight"))
        #expect(text.contains("in flight, by age:"))
        #expect(
            text.contains(
                " shop.Order.make from 127.0.0.1:9 by gRPC, id one, 5 bytes, connection 3, "
                    + "rocket-io-0"))
        let code = RPCErrorCode(rawValue: 10_000_005).name
        #expect(text.contains("call  shop.Order.make \(code) in 1.500 ms from 127.0.0.1:9, id two"))
        #expect(text.contains("the last of 1 calls and 1 lines:"))
        #expect(text.contains("n=1") && !text.contains("\u{1b}"))
        #expect(CrashReport(try recording(), isRunning: true, last: 0).lines[2].contains("runs;"))
    }

    @Test("JSON has the same")
    func json() throws {
        let json = CrashReport(try recording(), isRunning: false, last: 10).json
        #expect(json.hasPrefix(#"{"program":"shop","pid":\#(CurrentProcess.processID),"#))
        #expect(json.contains(#""in_flight":[{"method":"shop.Order.make","peer":"127.0.0.1:9""#))
        #expect(json.contains(#""id":"one""#) && json.contains(#""code":null"#))
        #expect(json.contains(#""kind":"call""#) && json.contains(#""code":10000005"#))
        #expect(json.contains(#""level":"WARN""#))
        #expect(!json.contains("\u{1b}"))
    }

    @Test("Files that are missing, foreign or cut have statuses of their own")
    func failures() throws {
        func failure(_ file: String) -> ProgramFailure? {
            do {
                let command = try CrashCommand.parse([file])
                try command.run()
                return nil
            } catch { return error as? ProgramFailure }
        }
        #expect(failure("/no/such/file")?.status == .noInput)
        try FileContents.write(Array("text".utf8), to: path)
        defer { try? FileSystem.remove(path) }
        #expect(failure(path)?.status == .dataError)
        #expect(failure(path)?.description == "\(path) is no file of a flight recorder")
    }
}

extension FlightCalls {
    /// A call begins that has just been described.
    fileprivate func began(_ call: Beginning, at now: UInt64) -> Int {
        began(
            method: call.methodIndex, connection: call.connection, messageID: call.messageID,
            requestBytes: call.requestBytes, at: now
        ) { $0(call) }
    }
}
