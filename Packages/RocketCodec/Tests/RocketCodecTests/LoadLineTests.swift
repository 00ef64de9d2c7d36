import RocketBase
import RocketCodec
import Testing

@Suite("The load in a block of metadata")
struct LoadLineTests {
    private func text(_ line: LoadLine, after block: String = "", limit: Int = 511) -> String {
        var buffer = ByteBuffer()
        buffer.append(utf8: block)
        line.append(to: &buffer, limitBytes: limit)
        return String(decoding: buffer.copyBytes(), as: UTF8.self)
    }

    private func read(_ text: String) -> LoadLine? {
        LoadLine(block: [UInt8](text.utf8).span.bytes)
    }

    private func line(_ utilization: Double, _ calls: Double, _ errors: Double) -> LoadLine {
        LoadLine(utilization: utilization, callsPerSecond: calls, errorsPerSecond: errors)
    }

    @Test("It is three decimals, in a block of its own or behind other lines")
    func format() {
        let load = line(0.734, 1830.5, 0)
        #expect(text(load) == "rkm1\nload=0.734%201830.5%200\n")
        #expect(text(load, after: "rkm1\na=1\n") == "rkm1\na=1\nload=0.734%201830.5%200\n")
        #expect(read("rkm1\na=1\nload=0.734%201830.5%200\nb=2\n") == load)
        #expect(read("rkm1\nload=0.734 1830.5 0\n") == load)
        #expect(
            read("rkm1\nload=1 1 1\nload=0.000001 999999999.999999 2\n")?.utilization == 0.000001)
    }

    @Test("Numbers that can't be written become the nearest that can")
    func bounds() {
        #expect(text(line(-1, .infinity, .nan)) == "rkm1\nload=0%20999999999%200\n")
        #expect(text(line(0.0000004, 0.9999999, 12.000050)) == "rkm1\nload=0%201%2012.00005\n")
    }

    @Test("A block that would be longer than the limit stays as it is")
    func limit() {
        let (load, block) = (line(1, 2, 3), "rkm1\na=1\n")
        let whole = text(load, after: block)
        #expect(text(load, after: block, limit: whole.utf8.count) == whole)
        #expect(text(load, after: block, limit: whole.utf8.count - 1) == block)
        #expect(text(load, limit: 10) == "")
    }

    @Test(
        "A line of another form is none",
        arguments: [
            "", "0.5", "0.5%201", "0.5%201%202%203", "0.5,1,2", "-0.5%201%202", "1e3%201%202",
            "nan%201%202", "inf%201%202", "%201%202", ".5%201%202", "0.%201%202",
            "0.1234567%201%202", "1234567890%201%202", "0.5%20%201%202", "0.5%2", "0.5%201%202%20",
            "%30%201%202", "0.5 1 2 ", "０%201%202",
        ])
    func garbage(_ value: String) {
        #expect(read("rkm1\nload=\(value)\n") == nil)
        #expect(read("load=\(value)") == nil)
    }

    @Test("What is no block, and a line that was cut, report nothing")
    func noBlock() {
        #expect(read("") == nil && read("load=1 1 1\n") == nil && read("rkm1\nload=1 1 1") == nil)
    }

    @Test("The line is no metadata of the application")
    func hidden() throws {
        let block = [UInt8]("rkm1\nload=1%201%201\nx-a=1\n".utf8)
        let reply = MetadataBlock.readReply(block.span.bytes)
        let both = try #require(reply)
        #expect(both.metadata == ["x-a": "1"] && both.trailing == [:])
    }

    @Test("Random numbers are read as they were written, to six places")
    func roundTrip() throws {
        var random = SplitMix(seed: 20)
        for round in 0..<1000 {
            let scale: Double = [1, 1000, 999_999_999][round % 3]
            var numbers: [Double] = []
            for _ in 0..<3 { numbers.append(Double.random(in: 0...scale, using: &random)) }
            let load = line(numbers[0], numbers[1], numbers[2])
            let found = try #require(read(text(load)))
            #expect(abs(found.utilization - load.utilization) < 1e-6)
            #expect(abs(found.callsPerSecond - load.callsPerSecond) < 1e-6)
            #expect(abs(found.errorsPerSecond - load.errorsPerSecond) < 1e-6)
        }
    }
}
