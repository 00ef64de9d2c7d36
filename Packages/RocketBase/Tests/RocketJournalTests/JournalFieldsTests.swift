import Testing

@testable import RocketJournal

@Suite struct JournalFieldsTests {
    @Test(
        "Keys become valid field names of the journal",
        arguments: [
            ("fd", "FD"), ("elapsed_us", "ELAPSED_US"), ("Order.id", "ORDER_ID"),
            ("1st", "FIELD_1ST"), ("_hidden", "FIELD_HIDDEN"), ("", "FIELD_"),
            ("message", "FIELD_MESSAGE"), ("priority", "FIELD_PRIORITY"), ("peer", "PEER"),
            ("msg_id", "MSG_ID"),
            ("unit", "FIELD_UNIT"), ("größe", "GR____E"),
        ])
    func fieldNames(_ key: String, _ name: String) {
        #expect(String(decoding: JournalFields.name(for: key.utf8), as: UTF8.self) == name)
    }

    @Test("Long keys are cut")
    func longKeys() {
        let name = JournalFields.name(for: String(repeating: "message", count: 20).utf8)
        #expect(name.count == 64)
    }
}
