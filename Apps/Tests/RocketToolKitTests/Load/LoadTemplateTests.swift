import RocketBaseTestKit
import RocketProgram
import Testing

@testable import RocketToolKit

@Suite struct LoadTemplateTests {
    @Test("A placeholder that fills is a constant text")
    func fill() throws {
        #expect(try LoadTemplate("{{fill 3}}{{fill 0}}").isConstant)
        var values = LoadValues(sequence: 0, seed: 1)
        #expect(try LoadTemplate("<{{fill 3}}>").text(&values) == "<aaa>")
        #expect(throws: ProgramFailure.self) { try LoadTemplate("{{fill 33554433}}") }
        #expect(throws: ProgramFailure.self) { try LoadTemplate("{{fill}}") }
    }

    private func text(_ template: String, sequence: Int = 0, seed: UInt64 = 1) throws -> String {
        var values = LoadValues(sequence: sequence, seed: seed, time: ManualTimeSource())
        return try LoadTemplate(template).text(&values)
    }

    @Test("A text without placeholders is constant, and JSON has none by chance")
    func constant() throws {
        let json = #"{"a":{"b":{}}}"#
        #expect(try LoadTemplate(json).isConstant)
        #expect(try text(json) == json)
        #expect(try LoadTemplate("").isConstant)
        #expect(try !LoadTemplate("{{uuid}}").isConstant)
    }

    @Test("Placeholders get the values of the call")
    func values() throws {
        #expect(
            try text(#"{"a":{{sequence}},"b":"{{ sequence }}"}"#, sequence: 7)
                == #"{"a":7,"b":"7"}"#)
        #expect(try text("{{time}}") == "1767225600000")
        #expect(try text("{{random 5 5}}{{random -2 -2}}") == "5-2")
        #expect(try text("{{letters 0}}{{pick one}}") == "one")
        for sequence in 0..<100 {
            let number = try #require(Int(try text("{{random 1 6}}", sequence: sequence)))
            #expect((1...6).contains(number))
            #expect(["a", "b"].contains(try text("{{pick a b}}", sequence: sequence)))
            let letters = try text("{{letters 9}}", sequence: sequence)
            #expect(letters.count == 9 && letters.allSatisfy { ("a"..."z").contains($0) })
        }
    }

    @Test("A UUID is one of version 4, and another one for each call")
    func uuids() throws {
        let all = try (0..<100).map { try text("{{uuid}}", sequence: $0) }
        #expect(Set(all).count == 100)
        for uuid in all {
            let parts = uuid.split(separator: "-")
            #expect(parts.map(\.count) == [8, 4, 4, 4, 12])
            #expect(parts[2].first == "4" && "89ab".contains(parts[3].first ?? " "))
        }
    }

    @Test("The same seed and number give the same text, another seed another")
    func seeds() throws {
        let template = "{{uuid}} {{random 0 1000000000}} {{letters 5}}"
        #expect(try text(template, seed: 5) == text(template, seed: 5))
        #expect(try text(template, seed: 5) != text(template, seed: 6))
    }

    @Test(
        "A placeholder that is wrong is refused, with those that there are",
        arguments: [
            "{{uid}}", "{{random}}", "{{random 2 1}}", "{{random a 1}}", "{{letters -1}}",
            "{{letters 1048577}}", "{{pick}}", "{{uuid 4}}", "{{}}", "{{sequence",
        ])
    func refused(template: String) {
        let failure = #expect(throws: ProgramFailure.self) { try LoadTemplate(template) }
        #expect(failure?.status == .dataError)
    }
}

@Suite struct LoadMixTests {
    @Test("A mix has a weight, a method, options and a request in each line")
    func lines() throws {
        let mix = try LoadMix(
            parsing: """
                # weight method request
                9 Order.makeOrder {"price": {{random 1 9}}, "goods": "a b"}

                  1 Order.queryOrder timeout=200ms @ids.jsonl
                2 Order.listOrders
                """, file: "f")
        #expect(
            mix.entries == [
                .init(
                    method: "Order.makeOrder", weight: 9,
                    request: #"{"price": {{random 1 9}}, "goods": "a b"}"#),
                .init(
                    method: "Order.queryOrder", weight: 1, timeout: .init(argument: "200ms"),
                    request: "@ids.jsonl"),
                .init(method: "Order.listOrders", weight: 2),
            ])
    }

    @Test(
        "A line that is wrong is refused with its number",
        arguments: [
            ("x Order.make", "f:2: a line begins with a weight, 1 to 1000000, not 'x'"),
            ("0 Order.make", "f:2: a line begins with a weight, 1 to 1000000, not '0'"),
            ("1", "f:2: the method is missing"),
            ("1 a b", "f:2: 'b' is neither timeout=DURATION, nor JSON, nor @FILE"),
            ("1 a timeout=x", "f:2: 'timeout=x' is neither timeout=DURATION, nor JSON, nor @FILE"),
        ])
    func refused(line: String, message: String) {
        let failure = #expect(throws: ProgramFailure.self) {
            try LoadMix(parsing: "# first\n\(line)", file: "f")
        }
        #expect(failure?.description == message)
        #expect(failure?.status == .dataError)
    }

    @Test("A mix has 1 to 100 methods")
    func counts() {
        #expect(throws: ProgramFailure.self) { try LoadMix(parsing: "# none\n", file: "f") }
        let lines = [String](repeating: "1 a", count: 101).joined(separator: "\n")
        #expect(throws: ProgramFailure.self) { try LoadMix(parsing: lines, file: "f") }
    }

    @Test("Methods are chosen by their weights, evenly")
    func choice() {
        var choice = WeightedChoice([5, 1, 1])
        #expect((0..<14).map { _ in choice.next() } == [0, 0, 1, 0, 2, 0, 0, 0, 0, 1, 0, 2, 0, 0])
        var one = WeightedChoice([3])
        #expect((0..<3).map { _ in one.next() } == [0, 0, 0])
    }
}
