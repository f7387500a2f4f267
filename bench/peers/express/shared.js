// What both services share: the token check, the producer, and two processes on one port.
import cluster from 'node:cluster';
import jwt from 'jsonwebtoken';
import { Kafka, logLevel } from 'kafkajs';

const kafka = new Kafka({ brokers: [process.env.KAFKA_BROKERS], logLevel: logLevel.ERROR });
const producer = kafka.producer();

export function signedIn(request, response, next) {
  try {
    const token = (request.headers.authorization ?? '').replace('Bearer ', '');
    request.user = jwt.verify(token, process.env.JWT_SECRET, { algorithms: ['HS256'] });
    next();
  } catch {
    response.sendStatus(401);
  }
}

export function publish(topic, key, event) {
  return producer.send({ topic, messages: [{ key, value: JSON.stringify(event) }] });
}

export async function serve(app) {
  if (cluster.isPrimary) {
    for (let worker = 0; worker < 2; worker += 1) cluster.fork();
    process.on('SIGTERM', () => process.exit(0)); // the workers end with the channel to this process
    return;
  }
  process.on('disconnect', () => process.exit(0));
  await producer.connect();
  app.get('/health', (_request, response) => response.json({ status: 'ok' }));
  app.listen(Number(process.env.PORT), '127.0.0.1');
}
