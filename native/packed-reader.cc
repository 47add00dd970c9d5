// Takes records out of a consumer of node-rdkafka, packed: two buffers a partition, and no object a record. node-rdkafka's own consume(n)
// makes an object of nine properties of each record, which costs ten times what librdkafka needs to deliver it.
//
// It reaches into node-rdkafka: the class Connection of its headers says where the handle of librdkafka is. The version that it
// was compiled against is exported, so that nobody loads it beside another one.
#include <nan.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "rdkafka.h"
#include "src/connection.h"

namespace {

/** Bytes of a record in the index: offset, timestamp (doubles), key start and length, value start and length (int32). */
constexpr size_t kIndexBytes = 2 * sizeof(double) + 4 * sizeof(int32_t);

/** Bytes from which on a batch takes no more: positions in it are int32. */
constexpr size_t kMostBatchBytes = size_t{1} << 30;

/** Stands for a null key or value. */
constexpr int32_t kNull = -1;

struct Handle : NodeKafka::Connection {
  static RdKafka::Handle* Of(NodeKafka::Connection* connection) { return static_cast<Handle*>(connection)->m_client; }
};

/** Messages of one partition, in the order of their offsets. */
struct Group {
  const rd_kafka_topic_t* topic;
  int32_t partition;
  size_t bytes;
  std::vector<rd_kafka_message_t*> messages;
};

/** Frees messages whatever happens. */
struct Messages {
  std::vector<rd_kafka_message_t*> all;
  ~Messages() {
    for (rd_kafka_message_t* message : all) rd_kafka_message_destroy(message);
  }
};

v8::Local<v8::String> Text(const char* text) { return Nan::New(text == nullptr ? "" : text).ToLocalChecked(); }

const char* TopicOf(const rd_kafka_message_t* message) {
  return message->rkt == nullptr ? "" : rd_kafka_topic_name(message->rkt);
}

/**
 * Takes up to `most` messages that are ready, and no more once they hold `most_bytes`. One by one: rd_kafka_consume_batch_queue()
 * sets the position of a partition behind its end by one when it delivers that end, and reading on from there after a rebalance
 * would skip a record (librdkafka 2.12, rd_kafka_q_serve_rkmessages).
 */
void Take(rd_kafka_t* consumer, size_t most, size_t most_bytes, Messages* taken) {
  size_t bytes = 0;
  while (taken->all.size() < most && bytes < most_bytes) {
    rd_kafka_message_t* message = rd_kafka_consumer_poll(consumer, 0);
    if (message == nullptr) return;
    taken->all.push_back(message);
    bytes += message->len + message->key_len;
  }
}

/** Headers as [name, value, name, value …]; empty where the message has none. */
v8::Local<v8::Value> HeadersOf(const rd_kafka_message_t* message) {
  rd_kafka_headers_t* headers;
  if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return Nan::Undefined();
  v8::Local<v8::Array> list = Nan::New<v8::Array>();
  const char* name;
  const void* value;
  size_t size;
  uint32_t at = 0;
  for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
    Nan::Set(list, at++, Text(name));
    const char* text = value == nullptr ? "" : static_cast<const char*>(value);
    Nan::Set(list, at++, Nan::New(text, value == nullptr ? 0 : static_cast<int>(size)).ToLocalChecked());
  }
  return list;
}

/** Copies a key or value, and answers its length. */
int32_t Copy(const void* from, size_t length, char* data, size_t at) {
  if (from == nullptr) return kNull;
  if (length > 0) std::memcpy(data + at, from, length);
  return static_cast<int32_t>(length);
}

/** [topic, partition, count, bytes of keys and values, index, headers by record or undefined] */
v8::Local<v8::Array> Packed(const Group& group) {
  const size_t count = group.messages.size();
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  v8::Local<v8::ArrayBuffer> data = v8::ArrayBuffer::New(isolate, group.bytes);
  v8::Local<v8::ArrayBuffer> index = v8::ArrayBuffer::New(isolate, count * kIndexBytes);
  char* bytes = static_cast<char*>(data->GetBackingStore()->Data());
  double* offsets = static_cast<double*>(index->GetBackingStore()->Data());
  double* timestamps = offsets + count;
  int32_t* key_starts = reinterpret_cast<int32_t*>(timestamps + count);
  int32_t* key_lengths = key_starts + count;
  int32_t* value_starts = key_lengths + count;
  int32_t* value_lengths = value_starts + count;
  v8::Local<v8::Value> headers = Nan::Undefined();
  size_t at = 0;
  for (size_t i = 0; i < count; i++) {
    const rd_kafka_message_t* message = group.messages[i];
    rd_kafka_timestamp_type_t type;
    offsets[i] = static_cast<double>(message->offset);
    timestamps[i] = static_cast<double>(rd_kafka_message_timestamp(message, &type));
    key_starts[i] = static_cast<int32_t>(at);
    key_lengths[i] = Copy(message->key, message->key_len, bytes, at);
    at += std::max(0, key_lengths[i]);
    value_starts[i] = static_cast<int32_t>(at);
    value_lengths[i] = Copy(message->payload, message->len, bytes, at);
    at += std::max(0, value_lengths[i]);
    v8::Local<v8::Value> own = HeadersOf(message);
    if (own->IsUndefined()) continue;
    if (headers->IsUndefined()) headers = Nan::New<v8::Array>();
    Nan::Set(headers.As<v8::Array>(), static_cast<uint32_t>(i), own);
  }
  v8::Local<v8::Array> batch = Nan::New<v8::Array>(6);
  Nan::Set(batch, 0, Text(TopicOf(group.messages[0])));
  Nan::Set(batch, 1, Nan::New(group.partition));
  Nan::Set(batch, 2, Nan::New(static_cast<uint32_t>(count)));
  Nan::Set(batch, 3, data);
  Nan::Set(batch, 4, index);
  Nan::Set(batch, 5, headers);
  return batch;
}

/**
 * take(consumer, most, mostBytes): [batches, ends as [topic, partition, offset], failures as [code, message]], without waiting. The
 * last record is the one that reaches `mostBytes`. `consumer` is the native object behind a KafkaConsumer, connected.
 */
NAN_METHOD(Take) {
  if (!info[0]->IsObject() || info[0].As<v8::Object>()->InternalFieldCount() < 1) {
    return Nan::ThrowTypeError("take() needs the native object of a consumer.");
  }
  RdKafka::Handle* handle = Handle::Of(Nan::ObjectWrap::Unwrap<NodeKafka::Connection>(info[0].As<v8::Object>()));
  if (handle == nullptr) return Nan::ThrowError("take() needs a connected consumer.");
  const uint32_t most = Nan::To<uint32_t>(info[1]).FromMaybe(0);
  const uint32_t most_bytes = Nan::To<uint32_t>(info[2]).FromMaybe(0);

  Messages taken;
  Take(handle->c_ptr(), most, most_bytes, &taken);

  v8::Local<v8::Array> batches = Nan::New<v8::Array>();
  v8::Local<v8::Array> ends = Nan::New<v8::Array>();
  v8::Local<v8::Array> failures = Nan::New<v8::Array>();
  std::vector<Group> groups;
  Group* group = nullptr;
  for (rd_kafka_message_t* message : taken.all) {
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      v8::Local<v8::Array> end = Nan::New<v8::Array>(3);
      Nan::Set(end, 0, Text(TopicOf(message)));
      Nan::Set(end, 1, Nan::New(message->partition));
      Nan::Set(end, 2, Nan::New(static_cast<double>(message->offset)));
      Nan::Set(ends, ends->Length(), end);
      continue;
    }
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      v8::Local<v8::Array> failure = Nan::New<v8::Array>(2);
      Nan::Set(failure, 0, Nan::New(static_cast<int32_t>(message->err)));
      Nan::Set(failure, 1, Text(rd_kafka_message_errstr(message)));
      Nan::Set(failures, failures->Length(), failure);
      continue;
    }
    const auto same = [message](const Group& other) {
      return other.topic == message->rkt && other.partition == message->partition && other.bytes < kMostBatchBytes;
    };
    if (group == nullptr || !same(*group)) {
      const auto known = std::find_if(groups.begin(), groups.end(), same);
      if (known == groups.end()) {
        groups.push_back({message->rkt, message->partition, 0, {}});
        group = &groups.back();
      } else {
        group = &*known;
      }
    }
    group->messages.push_back(message);
    group->bytes += message->len + message->key_len;
  }
  for (const Group& one : groups) Nan::Set(batches, batches->Length(), Packed(one));

  v8::Local<v8::Array> answer = Nan::New<v8::Array>(3);
  Nan::Set(answer, 0, batches);
  Nan::Set(answer, 1, ends);
  Nan::Set(answer, 2, failures);
  info.GetReturnValue().Set(answer);
}

NAN_MODULE_INIT(Init) {
  Nan::SetMethod(target, "take", Take);
  Nan::Set(target, Text("nodeRdkafka"), Text(NODE_RDKAFKA_VERSION));
  Nan::Set(target, Text("librdkafka"), Nan::New(RD_KAFKA_VERSION));
}

}  // namespace

NODE_MODULE(packed_reader, Init)
