import Testing

@testable import RocketJournal

@Suite struct JournalFieldsTests {
    @Test(arguments: [
        ("fd", "FD"), ("elapsed_us", "ELAPSED_US"), ("Order.id", "ORDER_ID"),
        ("1st", "FIELD_1ST"), ("_hidden", "FIELD_HIDDEN"), ("", "FIELD_"),
        ("message", "FIELD_MESSAGE"), ("priority", "FIELD_PRIORITY"), ("größe", "GR____E"),
    ])
    func keysBecomeNamesThatTheJournalTakes(_ key: String, _ name: String) {
        #expect(String(decoding: JournalFields.name(for: key.utf8), as: UTF8.self) == name)
    }

    @Test func longKeysAreCut() {
        let name = JournalFields.name(for: String(repeating: "message", count: 20).utf8)
        #expect(name.count == 64)
    }
}
