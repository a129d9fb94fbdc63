import 'reflect-metadata';
import { OneByOneOrders } from './plain-orders.js';
import { serve } from './shell.js';

await serve(OneByOneOrders);
