#include "rocket_http_client.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

struct rocket_http_client {
    CURL *curl;
    struct curl_slist *change_headers;
    struct curl_slist *connect_to;
    char error[CURL_ERROR_SIZE];
    uint8_t *body;
    size_t count, capacity, most;
    int is_too_long;
};

// Appends what has arrived; 0 ends the request.
static size_t receive(char *bytes, size_t size, size_t count, void *context) {
    rocket_http_client *client = context;
    count *= size;
    if (count > client->most - client->count) {
        client->is_too_long = 1;
        return 0;
    }
    if (client->count + count > client->capacity) {
        size_t capacity = 2 * (client->count + count);
        uint8_t *body = realloc(client->body, capacity);
        if (body == NULL) return 0;
        client->body = body;
        client->capacity = capacity;
    }
    memcpy(client->body + client->count, bytes, count);
    client->count += count;
    return count;
}

rocket_http_client *rocket_http_client_create(
    const char *unix_socket, long timeout_ms, size_t most_bytes) {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return NULL;
    rocket_http_client *client = calloc(1, sizeof *client);
    if (client == NULL) return NULL;
    client->most = most_bytes;
    client->curl = curl_easy_init();
    CURL *curl = client->curl;
    client->change_headers = curl_slist_append(NULL, "X-Rocket-Admin: 1");
    if (curl == NULL || client->change_headers == NULL
        || curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->error) != CURLE_OK
        || curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive) != CURLE_OK
        || curl_easy_setopt(curl, CURLOPT_WRITEDATA, client) != CURLE_OK
        || curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http") != CURLE_OK
        || curl_easy_setopt(curl, CURLOPT_PROXY, "") != CURLE_OK
        || curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) != CURLE_OK
        || curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout_ms) != CURLE_OK
        || (unix_socket != NULL
            && curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, unix_socket) != CURLE_OK)) {
        rocket_http_client_free(client);
        return NULL;
    }
    return client;
}

int rocket_http_client_use_tls(rocket_http_client *client, const char *ca, const char *certificate,
                               const char *key, const char *connect_to) {
    CURL *curl = client->curl;
    if (connect_to != NULL) {
        client->connect_to = curl_slist_append(NULL, connect_to);
        if (client->connect_to == NULL
            || curl_easy_setopt(curl, CURLOPT_CONNECT_TO, client->connect_to) != CURLE_OK)
            return -1;
    }
    // Without the folder of the system's: only the file's authorities are trusted.
    if (ca != NULL
        && (curl_easy_setopt(curl, CURLOPT_CAINFO, ca) != CURLE_OK
            || curl_easy_setopt(curl, CURLOPT_CAPATH, NULL) != CURLE_OK))
        return -1;
    if (certificate != NULL && curl_easy_setopt(curl, CURLOPT_SSLCERT, certificate) != CURLE_OK)
        return -1;
    if (key != NULL && curl_easy_setopt(curl, CURLOPT_SSLKEY, key) != CURLE_OK) return -1;
    return curl_easy_setopt(curl, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2) == CURLE_OK
            && curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK
        ? 0 : -1;
}

void rocket_http_client_free(rocket_http_client *client) {
    if (client == NULL) return;
    if (client->curl != NULL) curl_easy_cleanup(client->curl);
    curl_slist_free_all(client->change_headers);
    curl_slist_free_all(client->connect_to);
    free(client->body);
    free(client);
}

static rocket_http_answer perform(rocket_http_client *client, CURLcode code, const char *url) {
    rocket_http_answer answer = {NULL, 0, NULL, 0};
    client->count = 0;
    client->is_too_long = 0;
    client->error[0] = 0;
    if (code == CURLE_OK) code = curl_easy_setopt(client->curl, CURLOPT_URL, url);
    if (code == CURLE_OK) code = curl_easy_perform(client->curl);
    if (client->is_too_long) {
        answer.error = "the answer is too long";
    } else if (code != CURLE_OK) {
        answer.error = client->error[0] != 0 ? client->error : curl_easy_strerror(code);
    } else {
        curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &answer.status);
        answer.body = client->body;
        answer.count = client->count;
    }
    return answer;
}

rocket_http_answer rocket_http_client_get(rocket_http_client *client, const char *url) {
    CURLcode code = curl_easy_setopt(client->curl, CURLOPT_HTTPGET, 1L);
    if (code == CURLE_OK) code = curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, NULL);
    return perform(client, code, url);
}

rocket_http_answer rocket_http_client_post(
    rocket_http_client *client, const char *url, const char *fields) {
    CURLcode code = curl_easy_setopt(client->curl, CURLOPT_COPYPOSTFIELDS, fields);
    if (code == CURLE_OK)
        code = curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, client->change_headers);
    return perform(client, code, url);
}
