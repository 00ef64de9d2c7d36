import RocketSystem
import Testing

@testable import RocketProgram

@Suite("Lines of standard input")
struct InputLinesTests {
    /// An input that returns these texts, one for each read, then its end.
    private func lines(_ chunks: [String]) -> InputLines {
        lines(bytes: chunks.map { Array($0.utf8) })
    }

    private func lines(bytes: [[UInt8]]) -> InputLines {
        let rest = Locked(bytes)
        return InputLines { rest.withLock { $0.isEmpty ? [] : $0.removeFirst() } }
    }

    private func all(_ lines: InputLines) async throws -> [String] {
        var found: [String] = []
        while let line = try await lines.next() { found.append(line) }
        return found
    }

    @Test(
        "Are found wherever reads split them",
        arguments: [
            ["{}\n[1]\n"], ["{", "}", "\n[1", "]\n"], ["{}\n[1]"], ["{}", "\n", "[1]"],
            ["\n \n{}\n\t\n[1]\n\n"],
        ])
    func found(chunks: [String]) async throws {
        let found = try await all(lines(chunks))
        #expect(found == ["{}", "[1]"])
    }

    @Test("Are none at an empty input, and stay none")
    func none() async throws {
        let lines = lines([])
        #expect(try await lines.next() == nil)
        #expect(try await lines.next() == nil)
    }

    @Test("Are read only when they are asked for")
    func onDemand() async throws {
        let reads = Locked(0)
        let lines = InputLines {
            reads.withLock { $0 += 1 }
            return Array("1\n2\n".utf8)
        }
        _ = try await lines.next()
        _ = try await lines.next()
        #expect(reads.withLock { $0 } == 1)
    }

    @Test("Fail if they are no UTF-8, or can't be read")
    func failures() async {
        let invalid = await #expect(throws: ProgramFailure.self) {
            _ = try await lines(bytes: [[0xff, 0x0a]]).next()
        }
        #expect(invalid?.description == "a line of standard input is not valid UTF-8")
        let closed = await #expect(throws: ProgramFailure.self) {
            _ = try await InputLines { () throws(SystemError) in
                throw SystemError("read", .badDescriptor)
            }.next()
        }
        #expect(closed?.description.hasPrefix("standard input can't be read: ") == true)
    }
}
